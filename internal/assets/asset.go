package assets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/store"
)

// CreateAsset adds a to the building's register and returns it in the register's form: type by
// code, and normalised level, dates and status. It ignores Org, Building, System, Version and the
// times of a.
//
// A second call with the same id and content returns the existing asset. Another content, or a
// barcode that another asset of the building has, is CodeConflict.
func (s *Service) CreateAsset(
	ctx context.Context, building firemode.BuildingID, a firemode.Asset,
) (firemode.Asset, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Asset{}, err
	}
	if a, err = normalize(a); err != nil {
		return firemode.Asset{}, err
	}
	a.Org, a.Building, a.Version = p.Org, building, 1
	created, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.Asset, error) {
		return s.createAsset(ctx, tx, p, a)
	})
	if firemode.CodeOf(err) == firemode.CodeConflict {
		existing, readErr := s.Asset(ctx, building, a.ID)
		if readErr == nil && sameFields(&existing, &a) && slices.Equal(existing.Baselines, a.Baselines) {
			return existing, nil
		}
	}
	return created, err
}

func (s *Service) createAsset(
	ctx context.Context, tx store.Tx, p firemode.Principal, a firemode.Asset,
) (firemode.Asset, error) {
	if _, err := lockBuilding(ctx, tx, p, a.Building); err != nil {
		return a, err
	}
	a.CreatedAt, a.UpdatedAt = tx.Now(), tx.Now()
	if err := store.As[store.AssetWriter](tx).CreateAssets(ctx, []firemode.Asset{a}); err != nil {
		return a, assetTaken(err)
	}
	return a, s.audit(ctx, tx, p, store.Action{Name: "asset.create", Subject: assetSubject(a), Data: map[string]any{
		"fields": differences(&firemode.Asset{}, &a), "baselines": auditedBaselines(a.Baselines),
	}})
}

// assetTaken explains an err that is CodeConflict, and returns any other as it is.
func assetTaken(err error) error {
	if firemode.CodeOf(err) != firemode.CodeConflict {
		return err
	}
	e := firemode.Conflict("an asset of this building has this id or this barcode already")
	e.Err = err
	return e
}

// assetSubject names an asset in the audit log: its id alone is unique only in its building.
func assetSubject(a firemode.Asset) string { return string(a.Building) + "/" + string(a.ID) }

// normalize returns a in the register's form, or an error that names every field that is not valid.
func normalize(a firemode.Asset) (firemode.Asset, error) {
	out := firemode.Asset{ID: a.ID}
	var wrong faults
	wrong.addError("asset_id", checkAssetID(string(a.ID)))
	t, err := parseType(a.Type)
	if err == nil {
		err = t.describe(&out, a.Type)
	}
	wrong.addError("type", err)
	for _, c := range columns {
		if c.name == "description" && oneLine(a.Description) == "" {
			continue // describe has set it
		}
		wrong.addError(c.name, c.set(&out, *c.at(&a)))
	}
	defaultStatus(&out)
	out.Description = cmp.Or(out.Description, t.Name)
	baselines, wrongBaselines := checkBaselines(a.Baselines)
	out.Baselines = baselines
	wrong = append(wrong, wrongBaselines...)
	return out, wrong.err("the asset is not valid")
}

// checkAssetID returns why id is not valid for an asset.
func checkAssetID(id string) error {
	switch {
	case id == "":
		return errors.New("the id is missing")
	case !firemode.ValidID(id):
		return fmt.Errorf("the id %q may have only letters A to Z, digits, - and _, at most %d of them",
			firemode.Clip(id), firemode.MaxIDLength)
	case strings.HasPrefix(id, "system-"), strings.HasPrefix(id, "site-"):
		// In a session those are the items of the building's systems and of the site itself.
		return errors.New("ids that begin with system- and site- are reserved for the building's systems and the site")
	}
	return nil
}

// Asset returns one asset of the building.
func (s *Service) Asset(
	ctx context.Context, building firemode.BuildingID, id firemode.AssetID,
) (a firemode.Asset, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return a, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := readBuilding(ctx, tx, p, building); err != nil {
			return err
		}
		a, err = readAsset(ctx, tx, firemode.Asset{Org: p.Org, Building: building, ID: id})
		return err
	})
	return a, err
}

// readAsset returns the asset with the organisation, building and id of ref.
func readAsset(ctx context.Context, tx store.ReadTx, ref firemode.Asset) (firemode.Asset, error) {
	a, err := store.As[store.AssetReader](tx).Asset(ctx, ref.Org, ref.Building, ref.ID)
	if firemode.CodeOf(err) == firemode.CodeNotFound {
		err = firemode.NotFound("no such asset in this building")
	}
	return a, err
}

// Assets returns a page of the building's register, by id. The level of the filter may be written
// in any form that Level reads.
func (s *Service) Assets(
	ctx context.Context, building firemode.BuildingID, f store.AssetFilter, page store.Page,
) (list []store.Keyed[firemode.Asset], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	f.Level = Level(f.Level)
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := readBuilding(ctx, tx, p, building); err != nil {
			return err
		}
		list, err = store.As[store.AssetReader](tx).Assets(ctx, p.Org, building, f, page)
		return err
	})
	return list, err
}
