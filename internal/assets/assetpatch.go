package assets

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// AssetPatch changes the fields that are not nil; "" clears one, but for the type and the status.
type AssetPatch struct {
	Type             *string // by code or in a register's words, which then are the description unless one is given
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

// fields are the plain fields of the patch by the names of columns.
func (p AssetPatch) fields() map[string]*string {
	return map[string]*string{
		"description": p.Description, "level": p.Level, "location": p.Location, "make": p.Make, "model": p.Model, "serial": p.Serial,
		"manufactured": p.Manufactured, "installed": p.Installed, "last_pressure_test": p.LastPressureTest, "barcode": p.Barcode,
		"status": p.Status, "notes": p.Notes,
	}
}

// apply changes a, and names every field that cannot be kept.
func (p AssetPatch) apply(a *firemode.Asset) error {
	var wrong []firemode.Detail
	if p.Type != nil {
		k, err := kindOf(*p.Type)
		if err == nil {
			err = k.describe(a, *p.Type)
		}
		if err != nil {
			wrong = append(wrong, firemode.Detail{Field: "type", Reason: err.Error()})
		}
	}
	given := p.fields()
	for _, c := range columns {
		if written := given[c.name]; written != nil {
			if err := c.set(a, *written); err != nil {
				wrong = append(wrong, firemode.Detail{Field: c.name, Reason: err.Error()})
			}
		}
	}
	if wrong != nil {
		return firemode.Invalid("the asset cannot be kept like this", wrong...)
	}
	return nil
}

// PatchAsset changes an asset that is at version ifVersion (0: at any), else it is CodeChanged. A barcode that another asset of
// the building has is CodeConflict. A patch that changes nothing leaves the version as it is.
func (s *Service) PatchAsset(ctx context.Context, building firemode.BuildingID, id firemode.AssetID, ifVersion int64, patch AssetPatch) (firemode.Asset, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Asset{}, err
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (firemode.Asset, error) {
		before, err := lockedAsset(ctx, tx, p, firemode.Asset{Building: building, ID: id})
		if err != nil {
			return before, err
		}
		if err := atVersion(before.Version, ifVersion); err != nil {
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
			if firemode.CodeOf(err) == firemode.CodeConflict {
				err = assetTaken(err)
			}
			return before, err
		}
		after.Version++
		return after, s.audit(ctx, tx, p, event{"asset.update", assetSubject(after), diff})
	})
}

// lockedAsset returns the asset that ref names and keeps others from its building's register until the transaction ends.
func lockedAsset(ctx context.Context, tx store.Tx, p firemode.Principal, ref firemode.Asset) (firemode.Asset, error) {
	if _, err := locked(ctx, tx, p, ref.Building); err != nil {
		return firemode.Asset{}, err
	}
	return registered(ctx, tx, p, ref.Building, ref.ID)
}
