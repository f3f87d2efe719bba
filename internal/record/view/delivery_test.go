package view_test

import (
	"testing"

	"firemode"
	"firemode/internal/record/recordtest"
	"firemode/internal/record/view"
	"firemode/internal/store"
)

func TestResults_WholeDocument_DeliveredToItsClient(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
		w.results(view.Query{Client: "p", AtSeq: 1})
		if n := w.delivered("p"); n != 0 {
			t.Errorf("a past document counts as delivered: %d", n)
		}
		w.results(view.Query{Client: "p"})
		if n := w.delivered("p"); n != 1 {
			t.Errorf("delivered %d, want 1", n)
		}
	})
}

func TestDeliver_OlderThanBefore_Kept(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
		for _, seq := range []int64{1, 0} {
			must(t, w.views.Deliver(recordtest.As(t, "tom", firemode.RoleTechnician), recordtest.Session, "p", seq))
		}
		must(t, w.views.Deliver(recordtest.As(t, "tom", firemode.RoleTechnician), recordtest.Session, "", 1))
		if n := w.delivered("p"); n != 1 {
			t.Errorf("delivered %d, want 1", n)
		}
	})
}

func TestResults_ClientOfAnotherUser_Forbidden(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.results(view.Query{Client: "p"})
		if _, err := w.as("tim", view.Query{Client: "p"}); firemode.CodeOf(err) != firemode.CodeForbidden {
			t.Errorf("error %v, want forbidden", err)
		}
		if _, err := w.as("tom", view.Query{Client: "no id"}); firemode.CodeOf(err) != firemode.CodeMalformed {
			t.Errorf("error %v, want malformed", err)
		}
	})
}
