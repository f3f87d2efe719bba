package merge_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/store"
)

// meter keeps what the service reports.
type meter struct {
	groups  []int
	changes map[string]int
}

func (m *meter) ConflictArose(string)                          {}
func (m *meter) Synced(context.Context, string, time.Duration) {}
func (m *meter) GroupCommitted(_ string, n int)                { m.groups = append(m.groups, n) }
func (m *meter) ChangesSettled(status string, n int) {
	m.changes[status] += n
}

// Every change is counted once, by what its first answer says became of it, and each transaction
// with what it carried.
func TestChangesAreCountedByWhatBecameOfThem(t *testing.T) {
	w := newWorld(t, openScratch)
	ref, err := w.newSession(t.Context(), "a")
	must(t, err)
	m := &meter{changes: map[string]int{}}
	s, err := merge.New(w.store, merge.Config{
		Now: w.clock.now, Rules: emptyBook{}, Signer: w.signer, Meter: m,
	})
	must(t, err)
	t.Cleanup(s.Close)
	by := firemode.Principal{Org: ref.Org, User: "ann", Role: firemode.RoleManager}
	post := func(key string, number int64, changes ...string) merge.Post {
		in := merge.Submission{
			Session: ref.Session,
			Key:     key,
			Meta:    merge.Meta{Client: "tab", Clock: crdt.Clock{"tab": number}},
		}
		raw := make([]jsontext.Value, len(changes))
		for i, c := range changes {
			raw[i] = jsontext.Value(c)
		}
		var err error
		in.Changes, err = crdt.ParseChanges(raw)
		must(t, err)
		return merge.Post{By: by, Submission: in}
	}
	together := func(posts ...merge.Post) {
		t.Helper()
		for _, a := range s.Together(t.Context(), posts) {
			must(t, a.Err)
		}
	}
	wants := func(groups string, changes map[string]int) {
		t.Helper()
		if got := fmt.Sprint(m.groups); got != groups || !maps.Equal(m.changes, changes) {
			t.Errorf("groups %s, changes %v, want %s, %v", got, m.changes, groups, changes)
		}
		m.groups, m.changes = nil, map[string]int{}
	}
	set := func(path string) string { return `{"op": "set", "path": "` + path + `", "value": 1}` }
	second := post("k2", 2, set("/x"), set("/y"), `{"op": "nonsense"}`)
	together(post("k1", 1, set("/x"), set("/x")), second, second) // the last has the answer of the one before
	wants("[3]", map[string]int{"applied": 3, "superseded": 1, "rejected": 1})
	together(second) // the stored answer
	wants("[1]", map[string]int{})
	together(post("k2 again", 2, set("/x"), set("/y"), `{"op": "nonsense"}`))
	wants("[1]", map[string]int{"duplicate": 2, "rejected": 1})
	w.complete(t, ref)
	together(post("k3", 3, set("/x"), `{"op": "nonsense"}`))
	wants("[1]", map[string]int{"late": 1, "rejected": 1})
	broken := post("k4", 4, set("/x"))
	broken.Session = "another"
	if a := s.Together(t.Context(), []merge.Post{broken}); a[0].Err == nil {
		t.Error("there is no such session")
	}
	wants("[1]", map[string]int{})
}

// complete makes a session completed, whatever it lacks.
func (w *world) complete(t *testing.T, ref ledger.SessionRef) {
	t.Helper()
	must(t, w.store.Update(t.Context(), func(tx store.Tx) error {
		session, err := store.As[store.SessionReader](tx).Session(t.Context(), ref.Org, ref.Session)
		must(t, err)
		session.Status = firemode.SessionCompleted
		return store.As[store.SessionWriter](tx).UpdateSession(t.Context(), session)
	}))
}
