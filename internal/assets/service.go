package assets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"firemode"
	"firemode/internal/record/ledger"
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

// New returns a service on s, or says what is missing.
func New(s store.Store, c Config) (*Service, error) {
	switch {
	case s == nil:
		return nil, errors.New("buildings: a store is required")
	case c.NewID == nil:
		return nil, errors.New("buildings: Config.NewID is required")
	}
	return &Service{store: s, newID: c.NewID}, nil
}

// readable returns a building that p may read.
func readable(ctx context.Context, tx store.ReadTx, p firemode.Principal, id firemode.BuildingID) (firemode.Building, error) {
	b, err := store.As[store.BuildingReader](tx).Building(ctx, p.Org, id)
	return visible(b, err, p)
}

// locked is readable, and keeps others from the building and its register until the transaction ends. Every change of a
// register takes this lock, so that an import never finds a row changed under it.
func locked(ctx context.Context, tx store.Tx, p firemode.Principal, id firemode.BuildingID) (firemode.Building, error) {
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

// event is what an audit entry of this package says.
type event struct {
	action  string
	subject string
	data    any
}

func (s *Service) audit(ctx context.Context, tx store.Tx, p firemode.Principal, e event) error {
	data, err := json.Marshal(e.data)
	if err != nil {
		return fmt.Errorf("audit data of %s: %w", e.action, err)
	}
	return store.AppendAudit(ctx, tx, p.Org, ledger.AuditEntry{
		ID: firemode.AuditID(s.newID()), User: p.User, Action: e.action, Subject: e.subject, Data: data,
	})
}

// change is one field of an audit entry: what it was and what it is.
type change struct {
	From any `json:"from"`
	To   any `json:"to"`
}

// atVersion refuses a change that was meant for another version; want 0 means whichever is there.
func atVersion(have, want int64) error {
	if want != 0 && want != have {
		return firemode.Changed("it was changed meanwhile: now at version %d, not %d", have, want)
	}
	return nil
}
