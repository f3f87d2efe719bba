package assets

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// AssetPatch changes the fields that are not nil. "" clears a field, except that it is not valid as
// a type and leaves the status as it is.
type AssetPatch struct {
	Type             *string // by code or in words, which become the description unless one is given
	Description      *string
	Level            *string
	Location         *string
	Make             *string
	Model            *string
	Serial           *string
	Manufactured     *string
	Installed        *string
	LastPressureTest *string
	Barcode          *string
	Status           *string
	Notes            *string
}

// fields returns the fields of the patch that are columns, by the name of the column.
func (p AssetPatch) fields() map[string]*string {
	return map[string]*string{
		"description": p.Description, "level": p.Level, "location": p.Location, "make": p.Make, "model": p.Model,
		"serial": p.Serial, "manufactured": p.Manufactured, "installed": p.Installed,
		"last_pressure_test": p.LastPressureTest, "barcode": p.Barcode, "status": p.Status, "notes": p.Notes,
	}
}

// apply changes a, or returns an error that names every field that is not valid.
func (p AssetPatch) apply(a *firemode.Asset) error {
	var wrong faults
	if p.Type != nil {
		t, err := parseType(*p.Type)
		if err == nil {
			err = t.describe(a, *p.Type)
		}
		wrong.addError("type", err)
	}
	given := p.fields()
	for _, c := range columns {
		if written := given[c.name]; written != nil {
			wrong.addError(c.name, c.set(a, *written))
		}
	}
	return wrong.err("the asset is not valid")
}

// PatchAsset changes an asset that is at version ifVersion (0: at any), else it is CodeChanged. A
// barcode that another asset of the building has is CodeConflict. A patch that changes nothing
// leaves the version as it is.
func (s *Service) PatchAsset(
	ctx context.Context, building firemode.BuildingID, id firemode.AssetID, ifVersion int64, patch AssetPatch,
) (firemode.Asset, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Asset{}, err
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (firemode.Asset, error) {
		before, err := lockAsset(ctx, tx, p, firemode.Asset{Building: building, ID: id})
		if err != nil {
			return before, err
		}
		if err := checkVersion(before.Version, ifVersion); err != nil {
			return before, err
		}
		after := before
		if err := patch.apply(&after); err != nil {
			return before, err
		}
		diff := differences(&before, &after)
		if len(diff) == 0 {
			return before, nil
		}
		after.UpdatedAt = tx.Now()
		if err := store.As[store.AssetWriter](tx).UpdateAssets(ctx, []firemode.Asset{after}); err != nil {
			return before, assetTaken(err)
		}
		after.Version++
		return after, s.audit(ctx, tx, p, store.Action{Name: "asset.update", Subject: assetSubject(after), Data: diff})
	})
}

// lockAsset returns the asset with the building and id of ref, and keeps others from its building's
// register until the transaction ends.
func lockAsset(
	ctx context.Context, tx store.Tx, p firemode.Principal, ref firemode.Asset,
) (firemode.Asset, error) {
	if _, err := lockBuilding(ctx, tx, p, ref.Building); err != nil {
		return firemode.Asset{}, err
	}
	ref.Org = p.Org
	return readAsset(ctx, tx, ref)
}
