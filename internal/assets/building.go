package assets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// Bounds of a building, in characters; see also the bounds of metadata.
const (
	maxName    = 200
	maxAddress = 300
)

// NewBuilding is what a building is made from.
type NewBuilding struct {
	ID       firemode.BuildingID // minted when it is ""
	Name     string              // 1 to 200 characters
	Address  string              // 1 to 300 characters
	Metadata map[string]any      // anything JSON, up to 16 KiB and 8 levels deep
	Owners   []firemode.UserID   // users of role owner in the same organisation
}

// Create adds a building. The same id with the same content again is the one creation, and gives the building as it now is;
// another content, or a name and address that another building has, is CodeConflict.
func (s *Service) Create(ctx context.Context, n NewBuilding) (firemode.Building, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Building{}, err
	}
	b := firemode.Building{
		Org: p.Org, ID: n.ID, Name: line(n.Name), Address: line(n.Address), Metadata: n.Metadata, Owners: n.Owners,
		Status: firemode.BuildingActive, Version: 1,
	}
	if b.ID == "" {
		b.ID = firemode.BuildingID(s.newID())
	}
	if err := check(&b); err != nil {
		return firemode.Building{}, err
	}
	if b.Creation, err = fingerprint(b); err != nil {
		return firemode.Building{}, err
	}
	created, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.Building, error) { return s.create(ctx, tx, p, b) })
	if firemode.CodeOf(err) == firemode.CodeConflict && n.ID != "" {
		if existing, ok := s.createdBefore(ctx, p, b); ok {
			return existing, nil
		}
	}
	return created, err
}

func (s *Service) create(ctx context.Context, tx store.Tx, p firemode.Principal, b firemode.Building) (firemode.Building, error) {
	if err := checkOwners(ctx, tx, p.Org, b.Owners); err != nil {
		return b, err
	}
	b.Owners = slices.Sorted(slices.Values(b.Owners))
	b.CreatedAt = tx.Now()
	if err := store.As[store.BuildingWriter](tx).CreateBuilding(ctx, b); err != nil {
		if firemode.CodeOf(err) == firemode.CodeConflict {
			err = taken(err)
		}
		return b, err
	}
	return b, s.audit(ctx, tx, p, event{"building.create", string(b.ID), map[string]any{
		"site_name": b.Name, "site_address": b.Address, "metadata": b.Metadata, "owner_ids": b.Owners,
	}})
}

func taken(err error) error {
	e := firemode.Conflict("a building with this id, or with this name and address, exists already")
	e.Err = err
	return e
}

// createdBefore returns the building of the same id if it was created with the same content.
func (s *Service) createdBefore(ctx context.Context, p firemode.Principal, b firemode.Building) (existing firemode.Building, ok bool) {
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		existing, err = readable(ctx, tx, p, b.ID)
		return err
	})
	return existing, err == nil && bytes.Equal(existing.Creation, b.Creation)
}

// fingerprint is the same for two creations exactly if they say the same.
func fingerprint(b firemode.Building) ([]byte, error) {
	said, err := json.Marshal([]any{b.ID, b.Name, b.Address, b.Metadata, b.Owners})
	sum := sha256.Sum256(said)
	return sum[:], err
}

// Get returns a building.
func (s *Service) Get(ctx context.Context, id firemode.BuildingID) (b firemode.Building, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return b, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		b, err = readable(ctx, tx, p, id)
		return err
	})
	return b, err
}

// List returns a page of buildings, oldest first; for an owner, of those that name them.
func (s *Service) List(ctx context.Context, f store.BuildingFilter, page store.Page) (list []store.Keyed[firemode.Building], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	if p.Role == firemode.RoleOwner {
		f.Owner = p.User
	}
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		list, err = store.As[store.BuildingReader](tx).Buildings(ctx, p.Org, f, page)
		return err
	})
	return list, err
}

// check holds b to its bounds.
func check(b *firemode.Building) error {
	var wrong []firemode.Detail
	refuse := func(field, why string) {
		if why != "" {
			wrong = append(wrong, firemode.Detail{Field: field, Reason: why})
		}
	}
	if !firemode.ValidID(string(b.ID)) {
		refuse("building_id", "must be 1 to 64 of the letters A to Z, digits, - and _")
	}
	refuse("site_name", required(b.Name, maxName))
	refuse("site_address", required(b.Address, maxAddress))
	if b.Status != firemode.BuildingActive && b.Status != firemode.BuildingArchived {
		refuse("status", "must be active or archived")
	}
	metadata, why := checkMetadata(b.Metadata)
	refuse("metadata", why)
	if wrong != nil {
		return firemode.Invalid("the building cannot be kept like this", wrong...)
	}
	b.Metadata = metadata
	return nil
}
