package assets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// Limits of a building, in characters; see also the limits of metadata.
const (
	maxName    = 200
	maxAddress = 300
	maxOwners  = 100 // users
)

// NewBuilding is what a building is created from.
type NewBuilding struct {
	ID       firemode.BuildingID // minted if ""
	Name     string              // 1 to 200 characters
	Address  string              // 1 to 300 characters
	Metadata map[string]any      // any JSON object, up to 16 KiB and 8 levels deep
	Owners   []firemode.UserID   // users of role owner in the same organisation
}

// Create adds a building. A second call with the same id and content returns the building as it is
// now. Another content, or a name and address that another building has, is CodeConflict.
func (s *Service) Create(ctx context.Context, n NewBuilding) (firemode.Building, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Building{}, err
	}
	b := firemode.Building{
		Org: p.Org, ID: n.ID, Name: oneLine(n.Name), Address: oneLine(n.Address),
		Metadata: n.Metadata, Owners: n.Owners, Status: firemode.BuildingActive, Version: 1,
	}
	if b.ID == "" {
		b.ID = firemode.BuildingID(s.newID())
	}
	if err := checkBuilding(&b); err != nil {
		return firemode.Building{}, err
	}
	if b.Creation, err = fingerprint(b); err != nil {
		return firemode.Building{}, err
	}
	created, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.Building, error) {
		return s.create(ctx, tx, p, b)
	})
	if firemode.CodeOf(err) == firemode.CodeConflict && n.ID != "" {
		if existing, ok := s.createdBefore(ctx, p, b); ok {
			return existing, nil
		}
	}
	return created, err
}

func (s *Service) create(
	ctx context.Context, tx store.Tx, p firemode.Principal, b firemode.Building,
) (firemode.Building, error) {
	if err := checkOwners(ctx, tx, p.Org, b.Owners); err != nil {
		return b, err
	}
	b.Owners = slices.Sorted(slices.Values(b.Owners))
	b.CreatedAt = tx.Now()
	if err := store.As[store.BuildingWriter](tx).CreateBuilding(ctx, b); err != nil {
		return b, buildingTaken(err)
	}
	return b, s.audit(ctx, tx, p, store.Action{Name: "building.create", Subject: string(b.ID), Data: map[string]any{
		"site_name": b.Name, "site_address": b.Address, "metadata": b.Metadata, "owner_ids": b.Owners,
	}})
}

// buildingTaken explains an err that is CodeConflict, and returns any other as it is.
func buildingTaken(err error) error {
	if firemode.CodeOf(err) != firemode.CodeConflict {
		return err
	}
	e := firemode.Conflict("a building with this id, or with this name and address, exists already")
	e.Err = err
	return e
}

// createdBefore returns the building with the id of b if it was created with the same content.
func (s *Service) createdBefore(
	ctx context.Context, p firemode.Principal, b firemode.Building,
) (existing firemode.Building, ok bool) {
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		existing, err = readBuilding(ctx, tx, p, b.ID)
		return err
	})
	return existing, err == nil && bytes.Equal(existing.Creation, b.Creation)
}

// fingerprint is the same for two creations exactly if their content is.
func fingerprint(b firemode.Building) ([]byte, error) {
	content, err := json.Marshal([]any{b.ID, b.Name, b.Address, b.Metadata, b.Owners})
	sum := sha256.Sum256(content)
	return sum[:], err
}

// Get returns a building.
func (s *Service) Get(ctx context.Context, id firemode.BuildingID) (b firemode.Building, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return b, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		b, err = readBuilding(ctx, tx, p, id)
		return err
	})
	return b, err
}

// List returns a page of buildings, oldest first. An owner gets only those that name them.
func (s *Service) List(
	ctx context.Context, f store.BuildingFilter, page store.Page,
) (list []store.Keyed[firemode.Building], err error) {
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

// checkBuilding normalises the metadata of b and names every field of b that is not valid.
func checkBuilding(b *firemode.Building) error {
	var wrong faults
	if !firemode.ValidID(string(b.ID)) {
		wrong.add("building_id", "must be 1 to 64 of the letters A to Z, digits, - and _")
	}
	wrong.add("site_name", requiredFault(b.Name, maxName))
	wrong.add("site_address", requiredFault(b.Address, maxAddress))
	if b.Status != firemode.BuildingActive && b.Status != firemode.BuildingArchived {
		wrong.add("status", "must be active or archived")
	}
	metadata, why := checkMetadata(b.Metadata)
	wrong.add("metadata", why)
	if wrong == nil {
		b.Metadata = metadata
	}
	return wrong.err("the building is not valid")
}

// checkOwners refuses ids that are not users of role owner in org, and duplicates.
func checkOwners(ctx context.Context, tx store.ReadTx, org firemode.OrgID, ids []firemode.UserID) error {
	if len(ids) == 0 {
		return nil
	}
	if len(ids) > maxOwners {
		return firemode.InvalidField("owner_ids", "at most %d owners", maxOwners)
	}
	users, err := store.As[store.UserReader](tx).UsersByID(ctx, org, ids)
	if err != nil {
		return err
	}
	owners := map[firemode.UserID]bool{}
	for _, u := range users {
		owners[u.ID] = u.Role == firemode.RoleOwner
	}
	var wrong faults
	for i, id := range ids {
		field := fmt.Sprintf("owner_ids[%d]", i)
		switch {
		case !owners[id]:
			wrong.add(field, "is not a user of role owner in this organisation")
		case slices.Contains(ids[:i], id):
			wrong.add(field, "is a duplicate")
		}
	}
	return wrong.err("owner_ids must be owners of the same organisation")
}
