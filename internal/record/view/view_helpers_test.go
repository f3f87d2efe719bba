package view_test

import (
	"fmt"
	"os"
	"testing"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/recordtest"
	"firemode/internal/record/view"
	"firemode/internal/store"
	"firemode/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// world is a session with the service that shows it.
type world struct {
	*recordtest.World
	t     *testing.T
	views *view.Service
}

func newWorld(t *testing.T, s store.Database) *world {
	t.Helper()
	return &world{recordtest.New(t, s, []firemode.ItemID{"E1"}), t, view.New(s)}
}

// as returns the results as a caller sees them, and the calls of the sink after Begin.
func (w *world) as(user firemode.UserID, q view.Query) (*sink, error) {
	q.Session = recordtest.Session
	to := &sink{}
	return to, w.views.Results(recordtest.As(w.t, user, firemode.RoleTechnician), q, to)
}

// results is as for technician tom, without an error.
func (w *world) results(q view.Query) *sink {
	w.t.Helper()
	to, err := w.as("tom", q)
	must(w.t, err)
	return to
}

// delivered returns what was delivered to a client.
func (w *world) delivered(client string) int64 {
	w.t.Helper()
	var actors []ledger.Actor
	must(w.t, w.Store.View(w.t.Context(), func(tx store.ReadTx) (err error) {
		ref := ledger.SessionRef{Org: recordtest.Org, Session: recordtest.Session}
		actors, err = store.As[store.ActorReader](tx).Actors(w.t.Context(), ref, []crdt.ActorID{crdt.ActorID(client)})
		return err
	}))
	if len(actors) != 1 {
		w.t.Fatalf("client %s: %+v", client, actors)
	}
	return actors[0].Delivered
}

type sink struct {
	view.Header
	calls []string
}

func (s *sink) add(format string, args ...any) error {
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
	return nil
}

func (s *sink) Begin(h view.Header) error {
	s.Header = h
	return nil
}
func (s *sink) Leaf(r crdt.Reading) error        { return s.add("leaf %s %s", r.Path, r.Value) }
func (s *sink) Conflict(c ledger.Conflict) error { return s.add("conflict %s of %d", c.Path, c.Count) }
func (s *sink) Removed(p crdt.Pointer) error     { return s.add("removed %s", p) }
func (s *sink) Late(e ledger.Entry) error        { return s.add("late %d", e.Seq) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
