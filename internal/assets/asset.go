package assets

import (
	"cmp"
	"context"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// CreateAsset adds a to the building's register and returns it as it is kept: the type found by code or by a register's words,
// level, dates and status in the register's own form. Org, Building, System, Version and the times are not taken from a.
//
// The same id with the same content again is one creation; another content, or a barcode that another asset of the building
// has, is CodeConflict.
func (s *Service) CreateAsset(ctx context.Context, building firemode.BuildingID, a firemode.Asset) (firemode.Asset, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Asset{}, err
	}
	if a, err = clean(a); err != nil {
		return firemode.Asset{}, err
	}
	a.Org, a.Building, a.Version = p.Org, building, 1
	created, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.Asset, error) { return s.createAsset(ctx, tx, p, a) })
	if firemode.CodeOf(err) == firemode.CodeConflict {
		existing, found := s.Asset(ctx, building, a.ID)
		if found == nil && same(&existing, &a) && slices.Equal(existing.Baselines, a.Baselines) {
			return existing, nil
		}
	}
	return created, err
}

func (s *Service) createAsset(ctx context.Context, tx store.Tx, p firemode.Principal, a firemode.Asset) (firemode.Asset, error) {
	if _, err := locked(ctx, tx, p, a.Building); err != nil {
		return a, err
	}
	a.CreatedAt, a.UpdatedAt = tx.Now(), tx.Now()
	if err := store.As[store.AssetWriter](tx).CreateAssets(ctx, []firemode.Asset{a}); err != nil {
		if firemode.CodeOf(err) == firemode.CodeConflict {
			err = assetTaken(err)
		}
		return a, err
	}
	return a, s.audit(ctx, tx, p, event{"asset.create", assetSubject(a), map[string]any{
		"fields": differences(&firemode.Asset{}, &a), "baselines": baselineEvents(a.Baselines),
	}})
}

func assetTaken(err error) error {
	e := firemode.Conflict("an asset of this building has this id or this barcode already")
	e.Err = err
	return e
}

// assetSubject names an asset in the audit log: its id alone is unique only in its building.
func assetSubject(a firemode.Asset) string { return string(a.Building) + "/" + string(a.ID) }

// clean gives a the register's own form, or names every field that has none.
func clean(a firemode.Asset) (firemode.Asset, error) {
	out := firemode.Asset{ID: a.ID}
	var wrong []firemode.Detail
	refuse := func(field string, err error) {
		if err != nil {
			wrong = append(wrong, firemode.Detail{Field: field, Reason: err.Error()})
		}
	}
	refuse("asset_id", checkAssetID(string(a.ID)))
	k, err := kindOf(a.Type)
	if err == nil {
		err = k.describe(&out, a.Type)
	}
	refuse("type", err)
	for _, c := range columns {
		if c.name == "description" && line(a.Description) == "" {
			continue // the words of the type say it
		}
		refuse(c.name, c.set(&out, *c.at(&a)))
	}
	inService(&out)
	out.Description = cmp.Or(out.Description, k.Name)
	var faults []firemode.Detail
	out.Baselines, faults = checkBaselines(a.Baselines)
	if wrong = append(wrong, faults...); wrong != nil {
		return out, firemode.Invalid("the asset cannot be kept like this", wrong...)
	}
	return out, nil
}

// Asset returns one asset of the building.
func (s *Service) Asset(ctx context.Context, building firemode.BuildingID, id firemode.AssetID) (a firemode.Asset, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return a, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := readable(ctx, tx, p, building); err != nil {
			return err
		}
		a, err = registered(ctx, tx, p, building, id)
		return err
	})
	return a, err
}

func registered(ctx context.Context, tx store.ReadTx, p firemode.Principal, building firemode.BuildingID, id firemode.AssetID) (firemode.Asset, error) {
	a, err := store.As[store.AssetReader](tx).Asset(ctx, p.Org, building, id)
	if firemode.CodeOf(err) == firemode.CodeNotFound {
		err = firemode.NotFound("no such asset in this building")
	}
	return a, err
}

// Assets returns a page of the building's register, by id. A level in the filter may be written as in any register.
func (s *Service) Assets(ctx context.Context, building firemode.BuildingID, f store.AssetFilter, page store.Page) (list []store.Keyed[firemode.Asset], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	f.Level = Level(f.Level)
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := readable(ctx, tx, p, building); err != nil {
			return err
		}
		list, err = store.As[store.AssetReader](tx).Assets(ctx, p.Org, building, f, page)
		return err
	})
	return list, err
}
