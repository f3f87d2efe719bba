package visits

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// dueItems returns an item for each asset in service, each system with such an asset, and the site,
// if a check of it is due.
func dueItems(
	ctx context.Context, tx store.Tx, building firemode.Building, session firemode.Session, set *rules.Set,
) ([]firemode.Item, error) {
	last, err := store.As[store.SessionReader](tx).LastResults(ctx, building.Org, building.ID)
	if err != nil {
		return nil, err
	}
	var items []firemode.Item
	add := func(item firemode.Item, t rules.AssetType) {
		if item.Checks = rules.Due(t, session.Frequency, set, session.CreatedAt); len(item.Checks) == 0 {
			return
		}
		if found, ok := last[item.ID]; ok {
			item.Last = &found
		}
		item.Type, item.System, item.Kind, item.Listed, item.State = t.Code, t.System, t.Kind, true, firemode.ItemUntouched
		items = append(items, item)
	}
	systems := map[string]bool{}
	err = store.As[store.AssetReader](tx).EachAsset(ctx, building.Org, building.ID, func(a firemode.Asset) error {
		t, ok := rules.TypeByCode(a.Type)
		if !ok || a.Status != firemode.AssetInService {
			return nil
		}
		systems[t.System] = true
		location := []string{building.Name, a.Level, a.Location}
		add(firemode.Item{
			ID: firemode.ItemID(a.ID), Name: cmp.Or(a.Description, t.Name), Level: a.Level, Baselines: a.Baselines,
			Location: slices.DeleteFunc(location, func(s string) bool { return s == "" }),
		}, t)
		return nil
	})
	for _, t := range rules.Types() {
		if t.Kind == firemode.KindSite || t.Kind == firemode.KindSystem && systems[t.System] {
			add(firemode.Item{ID: firemode.ItemID(t.Code), Name: t.Name, Location: []string{building.Name}}, t)
		}
	}
	return inWalkingOrder(items), err
}

// inWalkingOrder sorts and numbers items: the site and its systems first, then by level from the
// lowest, location and id.
func inWalkingOrder(items []firemode.Item) []firemode.Item {
	kinds := map[firemode.AssetKind]int{firemode.KindSite: 0, firemode.KindSystem: 1, firemode.KindAsset: 2}
	slices.SortFunc(items, func(a, b firemode.Item) int {
		return cmp.Or(
			cmp.Compare(kinds[a.Kind], kinds[b.Kind]),
			cmp.Compare(storey(a.Level), storey(b.Level)), cmp.Compare(a.Level, b.Level),
			slices.Compare(a.Location, b.Location), cmp.Compare(a.ID, b.ID),
		)
	})
	for i := range items {
		items[i].Position = i + 1
	}
	return items
}

// storey returns the number of a level above the ground: -2 for "B2", 0 for "G", 5 for "L05". Other
// names get a number above all of these.
func storey(level string) int {
	if level == "G" {
		return 0
	}
	if len(level) > 1 {
		if n, err := strconv.Atoi(level[1:]); err == nil {
			switch level[0] {
			case 'B':
				return -n
			case 'L':
				return n
			}
		}
	}
	return 1 << 20
}
