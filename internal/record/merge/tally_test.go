package merge_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/merge/mergetest"
	"firemode/internal/store"
)

// set posts one value for a client that does not count.
func (w *world) set(
	t *testing.T,
	s *merge.Service,
	ref ledger.SessionRef,
	user firemode.UserID,
	path string,
	value int,
) {
	t.Helper()
	changes, err := crdt.ParseChanges(
		[]jsontext.Value{jsontext.Value(fmt.Sprintf(`{"op":"set","path":%q,"value":%d}`, path, value))},
	)
	must(t, err)
	ctx := firemode.WithPrincipal(t.Context(), firemode.Principal{Org: ref.Org, User: user, Role: firemode.RoleManager})
	_, _, err = s.Submit(ctx, merge.Submission{Session: ref.Session, Key: fmt.Sprint(user, path, value), Changes: changes})
	must(t, err)
}

// TestConflictsAreCountedAnew plays a binary that knows nothing of the items' counts: what it
// leaves behind is not believed.
func TestConflictsAreCountedAnew(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			w := newWorld(t, engine.open)
			ref, err := w.newSession(t.Context(), "X", "Y")
			must(t, err)
			service, err := w.newService()
			must(t, err)
			t.Cleanup(service.Close)
			w.set(t, service.Service, ref, "ann", "/items/X/measurements/a", 1)
			w.set(t, service.Service, ref, "bob", "/items/X/measurements/a", 2)
			must(t, w.store.Update(t.Context(), func(tx store.Tx) error { return forget(t.Context(), tx, ref) }))
			w.set(t, service.Service, ref, "ann", "/items/Y/note", 1)

			f, err := mergetest.Read(t.Context(), w.store, ref)
			must(t, err)
			must(t, mergetest.Same("tallied", f.Head.Tallied, f.Head.Seq))
			for _, item := range f.Items {
				want := map[firemode.ItemID]int{"X": 1}[item.ID]
				must(t, mergetest.Same(fmt.Sprint("conflicts of ", item.ID), item.Conflicts, want))
			}
		})
	}
}

// forget leaves counts as they were before they were kept.
func forget(ctx context.Context, tx store.Tx, ref ledger.SessionRef) error {
	locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, ref.Org, []firemode.SessionID{ref.Session})
	if err != nil {
		return err
	}
	head := locked[0].Head
	head.Tallied = 0
	if err := store.As[store.SessionWriter](tx).SaveHead(ctx, ref.Org, ref.Session, head); err != nil {
		return err
	}
	items, err := store.As[store.ItemReader](tx).ItemsByID(ctx, ref.Org, ref.Session, []firemode.ItemID{"X", "Y"})
	if err != nil {
		return err
	}
	for i := range items {
		items[i].Conflicts = 1 - items[i].Conflicts
	}
	return store.As[store.ItemWriter](tx).SaveItemStates(ctx, ref.Org, ref.Session, items)
}
