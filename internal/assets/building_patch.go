package assets

import (
	"context"
	"reflect"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// Patch changes the fields that are not nil. Metadata and owners are replaced as a whole.
type Patch struct {
	Name     *string
	Address  *string
	Metadata *map[string]any
	Owners   *[]firemode.UserID
	Status   *string // firemode.BuildingActive or firemode.BuildingArchived
}

// Patch changes a building that is at version ifVersion (0: at any), else it is CodeChanged. A
// patch that changes nothing leaves the version as it is.
func (s *Service) Patch(
	ctx context.Context, id firemode.BuildingID, ifVersion int64, patch Patch,
) (firemode.Building, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Building{}, err
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (firemode.Building, error) {
		before, err := lockBuilding(ctx, tx, p, id)
		if err != nil {
			return before, err
		}
		if err := checkVersion(before.Version, ifVersion); err != nil {
			return before, err
		}
		after := before
		patch.apply(&after)
		if err := checkBuilding(&after); err != nil {
			return before, err
		}
		if patch.Owners != nil {
			if err := checkOwners(ctx, tx, p.Org, *patch.Owners); err != nil {
				return before, err
			}
		}
		diff := buildingDifferences(before, after)
		if len(diff) == 0 {
			return before, nil
		}
		if err := store.As[store.BuildingWriter](tx).UpdateBuilding(ctx, after); err != nil {
			return before, buildingTaken(err)
		}
		after.Version++
		return after, s.audit(ctx, tx, p, store.Action{Name: "building.update", Subject: string(id), Data: diff})
	})
}

func (patch Patch) apply(b *firemode.Building) {
	if patch.Name != nil {
		b.Name = oneLine(*patch.Name)
	}
	if patch.Address != nil {
		b.Address = oneLine(*patch.Address)
	}
	if patch.Metadata != nil {
		b.Metadata = *patch.Metadata
	}
	if patch.Owners != nil {
		b.Owners = slices.Sorted(slices.Values(*patch.Owners))
	}
	if patch.Status != nil {
		b.Status = *patch.Status
	}
}

// buildingDifferences lists the fields in which two states of a building differ.
func buildingDifferences(from, to firemode.Building) map[string]change {
	diff := map[string]change{}
	if from.Name != to.Name {
		diff["site_name"] = change{from.Name, to.Name}
	}
	if from.Address != to.Address {
		diff["site_address"] = change{from.Address, to.Address}
	}
	if from.Status != to.Status {
		diff["status"] = change{from.Status, to.Status}
	}
	if !slices.Equal(from.Owners, to.Owners) {
		diff["owner_ids"] = change{from.Owners, to.Owners}
	}
	bothEmpty := len(from.Metadata) == 0 && len(to.Metadata) == 0
	if !bothEmpty && !reflect.DeepEqual(from.Metadata, to.Metadata) {
		diff["metadata"] = change{from.Metadata, to.Metadata}
	}
	return diff
}
