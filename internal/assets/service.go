// Package assets keeps buildings and their asset registers. They share a package because a register
// has no life of its own: each of its changes locks its building, and the building decides who may
// see it.
//
// It promises:
//
//   - Whatever is in a register passed the same checks, whether it was posted or imported.
//   - A change and its audit entry are committed in one transaction.
//   - An import is atomic. Importing the same file twice changes nothing, and Import finds what
//     Export writes unchanged.
//
// Every method works for the principal in the context, in that principal's organisation. An owner
// sees only the buildings that name them and gets CodeNotFound for others. The package does not
// check roles; the policy table of internal/identity does.
package assets

import (
	"context"
	"errors"

	"firemode"
	"firemode/internal/store"
)

// Config is what a Service needs beside its store.
type Config struct {
	NewID func() string // mints ids of buildings and audit entries; UUIDv7 in production
}

// Service keeps buildings and their registers. It holds no state: any number may work on one store.
type Service struct {
	store store.Store
	newID func() string
}

// New returns a service on s, or an error that says what is missing.
func New(s store.Store, c Config) (*Service, error) {
	switch {
	case s == nil:
		return nil, errors.New("assets: a store is required")
	case c.NewID == nil:
		return nil, errors.New("assets: Config.NewID is required")
	}
	return &Service{store: s, newID: c.NewID}, nil
}

// readBuilding returns a building that p may read.
func readBuilding(
	ctx context.Context, tx store.ReadTx, p firemode.Principal, id firemode.BuildingID,
) (firemode.Building, error) {
	b, err := store.As[store.BuildingReader](tx).Building(ctx, p.Org, id)
	return visible(b, err, p)
}

// lockBuilding is readBuilding, and keeps others from the building and its register until the
// transaction ends. Every change of a register takes this lock, so that no row changes while an
// import compares it.
func lockBuilding(
	ctx context.Context, tx store.Tx, p firemode.Principal, id firemode.BuildingID,
) (firemode.Building, error) {
	b, err := store.As[store.BuildingWriter](tx).LockBuilding(ctx, p.Org, id)
	return visible(b, err, p)
}

func visible(b firemode.Building, err error, p firemode.Principal) (firemode.Building, error) {
	if err == nil && b.ReadableBy(p) {
		return b, nil
	}
	if err == nil || firemode.CodeOf(err) == firemode.CodeNotFound {
		return firemode.Building{}, firemode.NotFound("no such building")
	}
	return firemode.Building{}, err
}

// audit records in the audit log that p did a, whose ID is minted here.
func (s *Service) audit(ctx context.Context, tx store.Tx, p firemode.Principal, a store.Action) error {
	a.ID = firemode.AuditID(s.newID())
	return store.AppendActions(ctx, tx, p, a)
}

// change is one field of an audit entry: its old and its new value.
type change struct {
	From any `json:"from"`
	To   any `json:"to"`
}

// checkVersion fails with CodeChanged unless want is have, or 0 for any version.
func checkVersion(have, want int64) error {
	if want != 0 && want != have {
		return firemode.Changed("it was changed meanwhile: now at version %d, not %d", have, want)
	}
	return nil
}

// faults collects what is wrong with the fields of a request.
type faults []firemode.Detail

// add notes why field is refused; "" means that it is not.
func (f *faults) add(field, reason string) {
	if reason != "" {
		*f = append(*f, firemode.Detail{Field: field, Reason: reason})
	}
}

// addError is add for a reason that is an error; nil means that field is not refused.
func (f *faults) addError(field string, err error) {
	if err != nil {
		f.add(field, err.Error())
	}
}

// err returns CodeInvalid with every fault, nil if there is none.
func (f faults) err(message string) error {
	if f == nil {
		return nil
	}
	return firemode.Invalid(message, f...)
}
