package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// paths are such that a careless comparison takes one for another, or for one that is below it.
var paths = []crdt.Pointer{
	"/a", "/a/b", "/a/b/c", "/a b", "/a-b", "/ab", "/a/b~1c", "/A", "/a/B", "/é", "/a/日本",
	"/a_b", "/a%", "/a/%",
}

// operation is what an engine keeps of one, with everything that can be told from its zero value.
func operation(b ledger.Entry, index int, path crdt.Pointer, kind crdt.Kind) ledger.Op {
	op := ledger.Op{Op: crdt.Op{
		Dot: crdt.Dot{Actor: b.Actor, Batch: b.Number, Index: index}, Path: path, Kind: kind, Value: `{"b":[12.50,"` +
			"日本" + `"]}`,
		Names: []crdt.Dot{{Actor: "other~s", Batch: 1 << 53, Index: 3}}, Time: -5, Sum: 1 << 60, Foreign: b.Context,
		Contested: true, Seq: b.Seq,
		Origin: &crdt.Origin{
			User: string(b.User), SubmittedBy: string(b.SubmittedBy), Client: b.Client, CapturedAt: day(3),
			ReceivedAt: b.ReceivedAt,
			Instrument: `{"id":"G-17"}`, Source: "typed", Reason: awkward, Flags: []string{"unlisted"},
		},
	}}
	op.Merged = b.Seq
	return op
}

// written are the operations of one session: a slice in which every question can be answered by
// looking at each.
type written []ledger.Op

func (w written) write(t testing.TB, s store.Database, ref ledger.SessionRef, log []ledger.Entry) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		_, err := store.As[store.SessionWriter](tx).LockSessions(ctx, ref.Org, []firemode.SessionID{ref.Session})
		return errors.Join(err, store.As[store.EntryWriter](tx).InsertEntries(ctx, ref, log),
			store.As[store.OpWriter](tx).InsertOps(ctx, ref, w))
	})
}

// where returns those that keep accepts, in the order of a walk down the tree, then of the log.
func (w written) where(keep func(ledger.Op) bool) written {
	var found written
	for _, op := range w {
		if keep(op) {
			found = append(found, op)
		}
	}
	found.sort()
	return found
}

func (w written) sort() {
	slices.SortFunc(w, func(a, b ledger.Op) int {
		return cmp.Or(cmp.Compare(a.Path.Key(), b.Path.Key()), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index))
	})
}

// names are the operations in words; what each holds is tried elsewhere.
func (w written) names() (all []string) {
	for _, op := range w {
		all = append(all, fmt.Sprintf("%s %s %d", op.Path, op.Dot, op.Seq))
	}
	return all
}

func holds(tops []crdt.Pointer, p crdt.Pointer) bool {
	return slices.ContainsFunc(tops, func(top crdt.Pointer) bool { return top.Holds(p) })
}

// asStored makes the answers of questions about live operations comparable.
func asStored(ops []crdt.Op) written {
	var w written
	for _, op := range ops {
		w = append(w, ledger.Op{Op: op})
	}
	w.sort()
	return w
}

func operationTests() []test {
	return []test{
		{"an operation comes back as it was written, with what its batch tells of it", func(t *testing.T,
			s store.Database,
		) {
			createSessions(t, s, 1)
			b := logEntry(1, "a~s", 1)
			w := written{operation(b, 0, "/x/y~1z", crdt.Correct), operation(b, 7, "/x/日本", crdt.Remove)}
			w[1].Merged, w[1].SupersededSeq, w[1].Noted, w[1].Contested, w[1].Value, w[1].Names, w[1].Origin.Flags = 4,
				5, 6, false, "", nil, nil
			w.write(t, s, results, []ledger.Entry{b})
			equal(t, everyOp(t, s), w)
		}},
		{"UpdateOps writes what it says of one operation alone", updateOps},
		{"a walk over many operations is in the order of the tree", func(t *testing.T, s store.Database) {
			createSessions(t, s, 1)
			b := logEntry(1, "a", 1)
			var w written
			for n := range 2300 {
				w = append(w, operation(b, n, crdt.Pointer(fmt.Sprintf("%s/%d", paths[n%len(paths)], n%100)), crdt.Set))
			}
			w.write(t, s, results, []ledger.Entry{b})
			w.sort()
			equal(t, everyOp(t, s).names(), w.names())
			enough, seen := errors.New("enough"), 0
			_, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) (int, error) {
				return 0, store.As[store.OpReader](tx).EachLiveOp(ctx, results, 0, "", func(crdt.Op) error {
					if seen++; seen == 1200 {
						return enough
					}
					return nil
				})
			})
			if !errors.Is(err, enough) || seen != 1200 {
				t.Errorf("%d operations, then %v", seen, err)
			}
		}},
		{"every question finds what a plain look at each operation finds", questions},
		{"of an actor's own operations: the last sweeps, the names ahead, what is live", ownOps},
		{"a history is listed newest first", func(t *testing.T, s store.Database) {
			createSessions(t, s, 1)
			listTest[ledger.Op]{
				add: func(ctx context.Context, tx store.Tx, n int) error {
					b := logEntry(int64(n), "a", int64(n))
					_, err := store.As[store.SessionWriter](tx).LockSessions(ctx, "o", []firemode.SessionID{"s-0000"})
					return errors.Join(err, store.As[store.EntryWriter](tx).InsertEntries(ctx, results,
						[]ledger.Entry{b}),
						store.As[store.OpWriter](tx).InsertOps(ctx, results, []ledger.Op{operation(b, 0, "/a/b",
							crdt.Set), operation(b, 0, "/ab", crdt.Set)}))
				},
				list: func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[ledger.Op], error) {
					return store.As[store.OpReader](tx).History(ctx, results, "/a", p)
				},
				n:      func(op ledger.Op) int { return int(op.Batch) },
				newest: true,
			}.stable(t, s)
		}},
	}
}

func everyOp(t testing.TB, s store.Database) (all written) {
	t.Helper()
	read(t, s, func(ctx context.Context, tx store.ReadTx) (int, error) {
		return 0, store.As[store.OpReader](tx).EachOp(ctx, results, func(op ledger.Op) error {
			all = append(all, op)
			return nil
		})
	})
	return all
}

func updateOps(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	b := logEntry(1, "a", 1)
	w := written{operation(b, 0, "/a", crdt.Set), operation(b, 1, "/a", crdt.Set), operation(b, 1, "/a/b", crdt.Set)}
	w.write(t, s, results, []ledger.Entry{b})
	change := func(changes ...store.OpChange) {
		t.Helper()
		locked(t, s, func(ctx context.Context, tx store.Tx) error {
			return store.As[store.OpWriter](tx).UpdateOps(ctx, results, changes)
		})
		equal(t, everyOp(t, s), w)
	}
	w[1].SupersededSeq, w[1].Contested, w[1].Noted = 4, false, 3
	change(store.OpChange{Path: "/a", Seq: 1, Index: 1, SupersededSeq: 4, Noted: 3}, store.OpChange{
		Path: "/nothing",
		Seq:  1, Index: 1, SupersededSeq: 4,
	})
	w[1].SupersededSeq, w[1].Contested = 0, true
	change(store.OpChange{Path: "/a", Seq: 1, Index: 1, Contested: true})
	change()
}

func ownOps(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	log := []ledger.Entry{
		logEntry(1, "a", 1), logEntry(2, "b", 1), logEntry(3, "a", 4), logEntry(4, "a", 3),
		logEntry(5, "a", 5),
	}
	w := written{
		operation(log[0], 0, "/x", crdt.Set), operation(log[1], 0, "/x", crdt.Remove), operation(log[2], 0, "/x",
			crdt.Remove), operation(log[2], 1, "/x", crdt.Set),
		operation(log[2], 2, "/x", crdt.Increment), operation(log[3], 0, "/x", crdt.Set), operation(log[3], 1, "/x/y",
			crdt.Append), operation(log[3], 2, "/z", crdt.Resolve),
		operation(log[4], 0, "/z", crdt.Correct), operation(log[4], 1, "/x", crdt.Remove),
	}
	w[3].SupersededSeq = 5
	w.write(t, s, results, log)
	sweeps := read(t, s, func(ctx context.Context, tx store.ReadTx) (map[crdt.Pointer]crdt.Dot, error) {
		return store.As[store.OwnOpReader](tx).OwnSweeps(ctx, results, "a", crdt.Range{1, 4}, []crdt.Pointer{
			"/x",
			"/x/y", "/z", "/nothing",
		})
	})
	equal(t, sweeps, map[crdt.Pointer]crdt.Dot{"/x": {Actor: "a", Batch: 4, Index: 1}, "/x/y": {
		Actor: "a", Batch: 3,
		Index: 1,
	}})
	equal(t, asStored(read(t, s, func(ctx context.Context, tx store.ReadTx) ([]crdt.Op, error) {
		return store.As[store.OwnOpReader](tx).OwnNames(ctx, results, "a", 2)
	})).names(), []string{"/z a:3:2 4", "/z a:5:0 5"})
	equal(t, asStored(read(t, s, func(ctx context.Context, tx store.ReadTx) ([]crdt.Op, error) {
		return store.As[store.OwnOpReader](tx).OwnNames(ctx, results, "a", 3)
	})).names(), []string{"/z a:5:0 5"})
	live := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]crdt.Op, error) {
		return store.As[store.OwnOpReader](tx).OwnLive(ctx, results, "a", crdt.Range{1, 4})
	})
	equal(t, asStored(live).names(), []string{
		"/x a:1:0 1", "/x a:4:0 3", "/x a:4:2 3", "/x a:3:0 4", "/x/y a:3:1 4",
		"/z a:3:2 4",
	})
}
