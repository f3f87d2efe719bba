package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

const (
	// past is how long the log of the session is, and how many of everything else it has; fewer
	// than have a store analyse its tables.
	past = 240
	// fewRows is what a question that finds one thing may read: it, its batch, and what an index
	// cannot tell apart.
	fewRows = 6
)

// RunNarrow holds that what a merge asks for costs what it finds, however long the past of the
// session, and however short it was when the engine looked at it last and made its plans. rowsRead
// tells how many the connection of tx has read so far.
func RunNarrow(t *testing.T, empty func(t testing.TB) Empty, rowsRead func(ctx context.Context,
	tx store.ReadTx) (int64, error),
) {
	for _, planned := range []int{2, 10, past / 2, past} {
		t.Run(fmt.Sprint("planned at ", planned), func(t *testing.T) {
			e := empty(t)
			s := e.Open()
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			createSessions(t, s, 1)
			lengthen(t, s, 1, planned)
			e.Exec("ANALYZE")
			askNarrow(t, s, rowsRead)
			lengthen(t, s, planned+1, past)
			for name, rows := range askNarrow(t, s, rowsRead) {
				if rows > fewRows {
					t.Errorf("%s reads %d rows, want at most %d", name, rows, fewRows)
				}
			}
		})
	}
}

// AskNarrow asks the same of a session with a past, for those who look at how the questions are
// answered.
func AskNarrow(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	lengthen(t, s, 1, past)
	askNarrow(t, s, func(context.Context, store.ReadTx) (int64, error) { return 0, nil })
}

// askNarrow returns how many rows each question reads.
func askNarrow(t *testing.T, s store.Database, rowsRead func(ctx context.Context, tx store.ReadTx) (int64,
	error),
) map[string]int64 {
	found := map[string]int64{}
	none := func(_ any, err error) error { return err }
	for _, q := range []struct {
		name string
		ask  func(ctx context.Context, tx store.ReadTx) error
	}{
		{"Head", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.HeadReader](tx).Head(ctx, results))
		}},
		{"Actors", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.ActorReader](tx).Actors(ctx, results, []crdt.ActorID{"a", "b7"}))
		}},
		{"CountActors", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.ActorReader](tx).CountActors(ctx, results, "u7"))
		}},
		{"Entries", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.EntryReader](tx).Entries(ctx, results, []ledger.BatchRef{{
				Actor:  "a",
				Number: 7,
			}, {Actor: "a", Number: 7}, {Actor: "a", Number: past + 1}}))
		}},
		{"EntriesByKey", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.EntryReader](tx).EntriesByKey(ctx, results, []ledger.BatchKey{{
				Actor: "a",
				Key:   "key 7",
			}, {Actor: "a", Key: "key 7"}, {Actor: "a", Key: "new"}}))
		}},
		{"EntryByBatchID", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.EntryReader](tx).EntryByBatchID(ctx, results, "a", fmt.Sprint("batch ", past)))
		}},
		{"EntryHash", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.EntryReader](tx).EntryHash(ctx, results, 7))
		}},
		{"EachLateEntry", func(ctx context.Context, tx store.ReadTx) error {
			return store.As[store.EntryReader](tx).EachLateEntry(ctx, results, func(ledger.Entry) error { return nil })
		}},
		{"Prefixes", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.HeadReader](tx).Prefixes(ctx, results, []store.PrefixAsk{{
				Actor: "a",
				Seq:   past,
			}, {Actor: "a", Seq: 7}}))
		}},
		{"LiveOps", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.OpReader](tx).LiveOps(ctx, results, []crdt.Pointer{"/items/i7"},
				[]crdt.Pointer{"/items/i7/note"}))
		}},
		{"ContestedOps", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.OpReader](tx).ContestedOps(ctx, results, []crdt.Pointer{"/items/i7"}))
		}},
		{"OpsByDot", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.OpReader](tx).OpsByDot(ctx, results, []crdt.Dot{
				{Actor: "a", Batch: 7},
				{Actor: "a", Batch: past + 1},
			}))
		}},
		{"Inhabited", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.OpReader](tx).Inhabited(ctx, results, []crdt.Pointer{"/items/i7", "/items/new"}))
		}},
		{"OwnSweeps", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.OwnOpReader](tx).OwnSweeps(ctx, results, "a", crdt.Range{7, 7},
				[]crdt.Pointer{"/items/i7/note"}))
		}},
		{"OwnSweeps of one path in all batches", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.OwnOpReader](tx).OwnSweeps(ctx, results, "a", crdt.Range{1, past},
				[]crdt.Pointer{"/items/i7/note"}))
		}},
		{"OwnNames", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.OwnOpReader](tx).OwnNames(ctx, results, "a", past-1))
		}},
		{"OwnLive", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.OwnOpReader](tx).OwnLive(ctx, results, "a", crdt.Range{7, 7}))
		}},
		{"ChangedPaths", func(ctx context.Context, tx store.ReadTx) error {
			_, _, err := store.As[store.OpReader](tx).ChangedPaths(ctx, results, past-1, past, 10)
			return err
		}},
		{"ItemsByID", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.ItemReader](tx).ItemsByID(ctx, "o", "s-0000", []firemode.ItemID{"i7", "new"}))
		}},
		{"DefectsOfItems", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.DefectReader](tx).DefectsOfItems(ctx, results, []firemode.ItemID{"i7", "new"}))
		}},
		{"Responses", func(ctx context.Context, tx store.ReadTx) error {
			return none(store.As[store.ResponseReader](tx).Responses(ctx, []store.StoredResponse{{
				Scope: "o",
				Key:   "key 7",
			}, {Scope: "o", Key: "key 7"}, {Scope: "o", Key: "new"}}))
		}},
	} {
		found[q.name] = read(t, s, func(ctx context.Context, tx store.ReadTx) (int64, error) {
			before, err := rowsRead(ctx, tx)
			if err != nil {
				return 0, err
			}
			if err := q.ask(ctx, tx); err != nil && firemode.CodeOf(err) != firemode.CodeNotFound {
				return 0, err
			}
			after, err := rowsRead(ctx, tx)
			return after - before, err
		})
	}
	return found
}

// lengthen adds entries first to last by one actor to the session, with an operation each on an
// item of its own that has a defect, all of them answered.
func lengthen(t *testing.T, s store.Database, first, last int) {
	var numbers []int
	for i := first; i <= last; i++ {
		numbers = append(numbers, i)
	}
	log := each(numbers, func(i int) ledger.Entry { return logEntry(int64(i), "a", int64(i)) })
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.ItemWriter](tx).CreateItems(ctx, "o", "s-0000", each(numbers, func(i int) firemode.Item {
			return firemode.Item{ID: firemode.ItemID(fmt.Sprint("i", i)), Position: i, State: firemode.ItemDone}
		}))
	})
	insertEntries(t, s, log...)
	locked(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.OpWriter](tx).InsertOps(ctx, results, each(numbers, func(i int) ledger.Op {
			return operation(log[i-first], 0, crdt.Pointer(fmt.Sprintf("/items/i%d/note", i)), crdt.Set)
		}))
	})
	locked(t, s, func(ctx context.Context, tx store.Tx) error {
		others := each(numbers, func(i int) ledger.Actor {
			return ledger.Actor{ID: crdt.ActorID(fmt.Sprint("b", i)), User: firemode.UserID(fmt.Sprint("u", i))}
		})
		return store.As[store.ActorWriter](tx).SaveActors(ctx, results, slices.Concat(others, []ledger.Actor{{
			ID:   "a",
			User: "u",
		}}))
	})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.ResponseWriter](tx).SaveResponses(ctx, each(numbers, func(i int) store.StoredResponse {
			return store.StoredResponse{Scope: "o", Key: fmt.Sprint("key ", i), CreatedAt: day(0)}
		}))
	})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.DefectWriter](tx).SaveDefects(ctx, each(numbers, func(i int) firemode.Defect {
			d := newDefect(firemode.DefectID(fmt.Sprint("d", i)), i)
			d.Item = firemode.ItemID(fmt.Sprint("i", i))
			return d
		}))
	})
}

func each[A, B any](list []A, f func(A) B) []B {
	made := make([]B, len(list))
	for i, v := range list {
		made[i] = f(v)
	}
	return made
}
