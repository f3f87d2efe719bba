package storetest

import (
	"context"
	"testing"

	"firemode"
	"firemode/internal/store"
)

func createItems(t testing.TB, s store.Database, items ...firemode.Item) {
	t.Helper()
	createSessions(t, s, 2)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.ItemWriter](tx).CreateItems(ctx, "o", "s-0000", items)
	})
}

func itemsOf(t testing.TB, s store.Database, f store.ItemFilter) []firemode.Item {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Item, error) {
		return rows(store.As[store.ItemReader](tx).Items(ctx, "o", "s-0000", f, everything()))
	})
}

func itemTests() []test {
	return []test{
		{"an id is taken once in a session", func(t *testing.T, s store.Database) {
			createItems(t, s, firemode.Item{ID: "i1"})
			again := func(session firemode.SessionID) func(ctx context.Context, tx store.Tx) error {
				return func(ctx context.Context, tx store.Tx) error {
					return store.As[store.ItemWriter](tx).CreateItems(ctx, "o", session, []firemode.Item{
						{ID: "i2"},
						{ID: "i1"},
					})
				}
			}
			taken(t, s, "the session has an item with this id already", again("s-0000"))
			refuse(t, s, firemode.CodeNotFound, again("s-9999"))
			equal(t, itemsOf(t, s, store.ItemFilter{}), []firemode.Item{{ID: "i1"}})
			update(t, s, again("s-0001"))
		}},
		{"SaveItemStates writes states alone, of items that exist", func(t *testing.T, s store.Database) {
			item, other := newWorld("o").item, firemode.Item{ID: "i2", Position: 99}
			createItems(t, s, item, other)
			asked := item
			asked.State, asked.Outcome, asked.Missing, asked.Conflicts, asked.Name = firemode.ItemDone, "pass", nil, 2,
				"not written"
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.ItemWriter](tx).SaveItemStates(ctx, "o", "s-0000", []firemode.Item{{
					ID:    "i9",
					State: firemode.ItemDone,
				}, asked})
			})
			item.State, item.Outcome, item.Missing, item.Conflicts = asked.State, asked.Outcome, nil, 2
			equal(t, itemsOf(t, s, store.ItemFilter{}), []firemode.Item{item, other})
		}},
		{"the filters", itemFilters},
		{"they are listed by position, then id", func(t *testing.T, s store.Database) {
			createItems(t, s)
			listTest[firemode.Item]{
				add: func(ctx context.Context, tx store.Tx, n int) error {
					return store.As[store.ItemWriter](tx).CreateItems(ctx, "o", "s-0000",
						[]firemode.Item{{
							ID: firemode.ItemID(name("i", n)), Position: n/3 - 110,
							State: firemode.ItemDone,
						}})
				},
				list: func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[firemode.Item], error) {
					return store.As[store.ItemReader](tx).Items(ctx, "o", "s-0000",
						store.ItemFilter{States: []firemode.ItemState{firemode.ItemDone, firemode.ItemDisputed}}, p)
				},
				n: func(i firemode.Item) int { return number(t, string(i.ID)) },
			}.stable(t, s)
		}},
	}
}

func itemFilters(t *testing.T, s store.Database) {
	createItems(t, s,
		firemode.Item{ID: "FE-1", Name: "Extinguisher 100%", System: "FE", Level: "B2", Location: []string{
			"Tower",
			"CORRIDOR east",
		}, State: firemode.ItemUntouched},
		firemode.Item{ID: "FE-2", Name: "Extinguisher", System: "FE", Level: "G", Location: []string{
			"Tower",
			"plant_room",
		}, State: firemode.ItemDone},
		firemode.Item{ID: "system-SK", Name: "Ülterer", System: "SK", State: firemode.ItemDisputed})
	for _, c := range []struct {
		filter store.ItemFilter
		want   []firemode.ItemID
	}{
		{store.ItemFilter{}, []firemode.ItemID{"FE-1", "FE-2", "system-SK"}},
		{store.ItemFilter{Level: "G"}, []firemode.ItemID{"FE-2"}},
		{store.ItemFilter{System: "FE"}, []firemode.ItemID{"FE-1", "FE-2"}},
		{store.ItemFilter{States: []firemode.ItemState{firemode.ItemDone}}, []firemode.ItemID{"FE-2"}},
		{
			store.ItemFilter{States: []firemode.ItemState{firemode.ItemDone, firemode.ItemDisputed, "unknown"}},
			[]firemode.ItemID{"FE-2", "system-SK"},
		},
		{store.ItemFilter{States: []firemode.ItemState{firemode.ItemDisputed}, System: "FE"}, nil},
		{store.ItemFilter{Text: "fe-"}, []firemode.ItemID{"FE-1", "FE-2"}},
		{store.ItemFilter{Text: "corridor EAST"}, []firemode.ItemID{"FE-1"}},
		{store.ItemFilter{Text: "_"}, []firemode.ItemID{"FE-2"}},
		{store.ItemFilter{Text: "%"}, []firemode.ItemID{"FE-1"}},
		{store.ItemFilter{Text: "üLTERER"}, []firemode.ItemID{"system-SK"}},
	} {
		var got []firemode.ItemID
		for _, i := range itemsOf(t, s, c.filter) {
			got = append(got, i.ID)
		}
		equal(t, got, c.want)
	}
}
