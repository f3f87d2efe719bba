package visits

import (
	"slices"
	"testing"

	"firemode"
)

func TestInWalkingOrder_SiteThenLevelsFromTheLowest(t *testing.T) {
	asset := func(id, level, place string) firemode.Item {
		return firemode.Item{
			ID: firemode.ItemID(id), Kind: firemode.KindAsset, Level: level, Location: []string{"Tower", level, place},
		}
	}
	items := inWalkingOrder([]firemode.Item{
		asset("roof", "Roof", "plant"), asset("l10", "L10", "stair"), asset("l2b", "L02", "stair"), asset("l2a", "L02", "hall"),
		asset("g", "G", "hall"), asset("b1", "B1", "car park"), asset("b2", "B2", "car park"),
		{ID: "system-SK", Kind: firemode.KindSystem},
		{ID: "site-GN", Kind: firemode.KindSite},
	})
	var ids []firemode.ItemID
	for i, item := range items {
		ids = append(ids, item.ID)
		if item.Position != i+1 {
			t.Errorf("item %s has position %d, want %d", item.ID, item.Position, i+1)
		}
	}
	want := []firemode.ItemID{"site-GN", "system-SK", "b2", "b1", "g", "l2a", "l2b", "l10", "roof"}
	if !slices.Equal(ids, want) {
		t.Errorf("%q, want %q", ids, want)
	}
}
