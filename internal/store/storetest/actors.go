package storetest

import (
	"context"
	"errors"
	"testing"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func actorTests() []test {
	return []test{
		{"SaveActors adds, and writes what it says of those that exist", saveActors},
		{"BindActor binds once, to the first; a parent may come later", bindActor},
		{"what was delivered is raised, never lowered", func(t *testing.T, s store.Database) {
			createSessions(t, s, 1)
			for _, step := range []struct{ seq, want int64 }{{3, 3}, {2, 3}, {7, 7}, {0, 7}} {
				update(t, s, func(ctx context.Context, tx store.Tx) error {
					_, err := store.As[store.ActorWriter](tx).BindActor(ctx, results, ledger.Actor{ID: "a", User: "u1"})
					return errors.Join(err, store.As[store.ActorWriter](tx).Deliver(ctx, results, "a", step.seq),
						store.As[store.ActorWriter](tx).Deliver(ctx, results, "nobody", step.seq))
				})
				equal(t, actorsOf(t, s, nil), []ledger.Actor{{ID: "a", User: "u1", Delivered: step.want}})
			}
		}},
	}
}

func actorsOf(t testing.TB, s store.Database, ids []crdt.ActorID) []ledger.Actor {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]ledger.Actor, error) {
		return store.As[store.ActorReader](tx).Actors(ctx, results, ids)
	})
}

func saveActors(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	a := ledger.Actor{
		ID: "a~s", Client: "a", ClientType: "web", User: "u1", Held: crdt.Ranges{{1, 2}, {4, 1 << 60}},
		Merged: crdt.Ranges{{1, 1}}, PrefixSeq: 3,
		Delivered: 2, Parent: "p", LastSync: day(1),
	}
	others := []ledger.Actor{{ID: "_", User: "u1"}, {ID: "Z", User: "u2"}, {ID: "~u1", User: "u1"}, {
		ID:   "-",
		User: "u1",
	}}
	locked(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.ActorWriter](tx).SaveActors(ctx, results, append(others, a))
	})
	equal(t, actorsOf(t, s, nil), []ledger.Actor{others[3], others[1], others[0], a, others[2]})
	asked := a
	asked.Client, asked.User, asked.Delivered, asked.Parent = "not", "not", 99, "not"
	asked.ClientType, asked.Held, asked.Merged, asked.PrefixSeq, asked.LastSync = "app", crdt.Ranges{{1, 9}},
		crdt.Ranges{{1, 9}}, 9, day(9)
	locked(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.ActorWriter](tx).SaveActors(ctx, results, []ledger.Actor{asked})
	})
	a.ClientType, a.Held, a.Merged, a.PrefixSeq, a.LastSync = asked.ClientType, asked.Held, asked.Merged,
		asked.PrefixSeq, asked.LastSync
	equal(t, actorsOf(t, s, []crdt.ActorID{"a~s", "nobody", "Z"}), []ledger.Actor{others[1], a})
	equal(t, actorsOf(t, s, []crdt.ActorID{}), nil)
	for user, want := range map[firemode.UserID]int{"u1": 4, "u2": 1, "not": 0} {
		equal(t, read(t, s, func(ctx context.Context, tx store.ReadTx) (int, error) {
			return store.As[store.ActorReader](tx).CountActors(ctx, results, user)
		}), want)
	}
}

func bindActor(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	first := ledger.Actor{ID: "a", Client: "a", User: "u1", Delivered: 3, Parent: "p"}
	for _, a := range []ledger.Actor{first, {ID: "a", Client: "b", User: "u2", Delivered: 9}} {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			bound, err := store.As[store.ActorWriter](tx).BindActor(ctx, results, a)
			equal(t, bound, first)
			return err
		})
	}
	equal(t, actorsOf(t, s, nil), []ledger.Actor{first})
	for i, parent := range []crdt.ActorID{"", "", "p", "q", ""} {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			bound, err := store.As[store.ActorWriter](tx).BindActor(ctx, results, ledger.Actor{
				ID:   "orphan",
				User: "u1", Delivered: int64(i), Parent: parent,
			})
			want := ledger.Actor{ID: "orphan", User: "u1"}
			if i > 1 {
				want.Parent = "p"
			}
			equal(t, bound, want)
			return err
		})
	}
}
