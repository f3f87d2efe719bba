package sessions_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/crdt"
	"firemode/internal/sessions"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func openDurable(t testing.TB, now func() time.Time) store.Store {
	return storetest.OpenSQLiteAt(t, now)
}

// bench is a world with one session.
type bench struct {
	*world
	ref     store.SessionRef
	service *sessions.Service
	n       atomic.Int64
}

func newBench(b *testing.B, open func(testing.TB, func() time.Time) store.Store) *bench {
	b.Helper()
	w := newWorld(b, open)
	ref, err := w.newSession(b.Context(), "X", "Y")
	must(b, err)
	service, err := w.newService()
	must(b, err)
	b.Cleanup(service.Close)
	return &bench{world: w, ref: ref, service: service}
}

// submit posts changes for a client that does not count.
func (w *bench) submit(b *testing.B, user firemode.UserID, changes []crdt.Change) {
	ctx := firemode.WithPrincipal(b.Context(), firemode.Principal{Org: w.ref.Org, User: user, Role: firemode.RoleTechnician})
	in := sessions.Submission{Session: w.ref.Session, Key: fmt.Sprint(w.n.Add(1)), Changes: changes}
	if _, _, err := w.service.Submit(ctx, in); err != nil {
		b.Error(err)
	}
}

func sets(b *testing.B, paths ...string) []crdt.Change {
	b.Helper()
	raw := make([]jsontext.Value, len(paths))
	for i, path := range paths {
		raw[i] = jsontext.Value(fmt.Sprintf(`{"op":"set","path":%q,"value":%d}`, path, i%7))
	}
	changes, err := crdt.ParseChanges(raw)
	must(b, err)
	return changes
}

// BenchmarkSubmit measures the store's group commit on one hot session: naive clients of 64 users, one change each.
func BenchmarkSubmit(b *testing.B) {
	w := newBench(b, openDurable)
	changes := sets(b, "/test")
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		user := firemode.UserID(fmt.Sprintf("u%d", w.n.Add(1)%64))
		for pb.Next() {
			w.submit(b, user, changes)
		}
	})
}
