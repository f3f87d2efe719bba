package seed

import (
	"bytes"
	"context"
	"fmt"

	"firemode"
	"firemode/internal/assets"
)

// site is a building of the demo with its asset register.
type site struct {
	assets.NewBuilding
	by        firemode.UserID // user that creates it
	register  []byte          // text/csv
	baselines []baseline
}

// baseline is one baseline reading of an asset.
type baseline struct {
	asset firemode.AssetID
	firemode.Baseline
}

// createBuilding creates a building and its assets.
func (f *filler) createBuilding(ctx context.Context, s site) error {
	ctx = f.as(ctx, s.by)
	if _, err := f.Buildings.Create(ctx, s.NewBuilding); err != nil {
		return err
	}
	report, err := f.Buildings.Import(ctx, s.ID, bytes.NewReader(s.register), false)
	if err != nil {
		return err
	}
	for _, b := range s.baselines {
		if _, err := f.Buildings.PutBaselines(ctx, s.ID, b.asset, []firemode.Baseline{b.Baseline}); err != nil {
			return fmt.Errorf("baseline of %s: %w", b.asset, err)
		}
	}
	f.progressf("imported %s: %d assets, %d rows rejected, %d baselines",
		s.Name, report.Created+report.Updated+report.Unchanged, len(report.Rejected), len(s.baselines))
	return nil
}
