package view_test

import (
	"slices"
	"testing"

	"firemode/internal/record/recordtest"
	"firemode/internal/record/view"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func TestResults_SinceCursor_ChangesConflictsAndRemovedPaths(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1,
			`{"op":"set","path":"/x","value":1}`, `{"op":"set","path":"/gone","value":1}`,
			`{"op":"set","path":"/same","value":1}`)
		since := w.results(view.Query{}).Cursor
		w.Submit("b", 1, `{"op":"set","path":"/x","value":2}`)
		w.Submit("a", 2, `{"op":"remove","path":"/gone"}`)
		got := w.results(view.Query{Since: &since})
		want := []string{"leaf /x 2", "conflict /x of 2", "removed /gone"}
		if !slices.Equal(got.calls, want) || !got.Complete || got.Seq != 3 {
			t.Errorf("%q as of %d, complete %t, want %q", got.calls, got.Seq, got.Complete, want)
		}
	})
}

func TestResults_PagesOfADelta_DeliveredWithTheLast(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		cursor := w.results(view.Query{Client: "p"}).Cursor
		w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
		w.Submit("a", 2, `{"op":"set","path":"/y","value":1}`)
		first := w.results(view.Query{Client: "p", Since: &cursor, Limit: 1})
		if n := w.delivered("p"); first.Complete || n != 0 {
			t.Errorf("after the first page: complete %t, delivered %d", first.Complete, n)
		}
		last := w.results(view.Query{Client: "p", Since: &first.Cursor, Limit: 1})
		if n := w.delivered("p"); !last.Complete || n != 2 {
			t.Errorf("after the last page: complete %t, delivered %d", last.Complete, n)
		}
	})
}

func TestResults_CursorNeverDelivered_DeltaIsNotDelivered(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t))
	w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
	cursor := w.results(view.Query{}).Cursor // given to no client
	w.Submit("a", 2, `{"op":"set","path":"/y","value":1}`)
	w.results(view.Query{Client: "p", Since: &cursor})
	if n := w.delivered("p"); n != 0 {
		t.Errorf("delivered %d, want 0", n)
	}
}
