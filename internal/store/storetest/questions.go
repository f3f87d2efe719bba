package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// drawn is a random session of four actors.
func drawn(r *rapid.T) (log []ledger.Entry, w written) {
	kinds := []crdt.Kind{crdt.Set, crdt.Remove, crdt.Append, crdt.Increment, crdt.Resolve, crdt.Correct}
	numbers := map[crdt.ActorID]int64{}
	size := rapid.IntRange(1, 12).Draw(r, "entries")
	for seq := int64(1); seq <= int64(size); seq++ {
		actor := rapid.SampledFrom([]crdt.ActorID{"a", "A", "a~s", "~u1"}).Draw(r, "actor")
		numbers[actor]++
		b := logEntry(seq, actor, numbers[actor])
		log = append(log, b)
		for i, p := range rapid.SliceOfNDistinct(rapid.SampledFrom(paths), 0, 4, rapid.ID[crdt.Pointer]).Draw(r,
			"paths") {
			op := operation(b, i/2, p, rapid.SampledFrom(kinds).Draw(r, "kind"))
			op.Merged = min(seq+rapid.SampledFrom([]int64{0, 0, 0, 2}).Draw(r, "late"), int64(size))
			if rapid.Bool().Draw(r, "covered") {
				op.SupersededSeq = rapid.Int64Range(op.Merged, int64(size)).Draw(r, "covered at")
			}
			op.Contested = rapid.Bool().Draw(r, "contested")
			op.Noted = rapid.SampledFrom([]int64{0, 0, 1, 5}).Draw(r, "noted")
			w = append(w, op)
		}
	}
	return log, w
}

func questions(t *testing.T, s store.Database) {
	ids := createSessions(t, s, 0)
	some := rapid.SliceOfN(rapid.SampledFrom(append([]crdt.Pointer{"/zz"}, paths...)), 0, 4)
	rapid.Check(t, func(r *rapid.T) {
		ref := ledger.SessionRef{Org: "o", Session: firemode.SessionID(name("q", len(ids)))}
		ids = append(ids, ref.Session)
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return store.As[store.SessionWriter](tx).CreateSession(ctx, firemode.Session{
				Org: "o", ID: ref.Session,
				Building: "b", Version: 1, CreatedAt: day(0),
			}, ledger.Head{})
		})
		log, w := drawn(r)
		w.write(t, s, ref, log)
		q := question{r, s, ref, w, int64(len(log))}
		q.live(some.Draw(r, "at"), some.Draw(r, "below"))
		q.inhabited(some.Draw(r, "inhabited"))
		q.then(rapid.Int64Range(1, q.head).Draw(r, "then"), rapid.SampledFrom(paths).Draw(r, "top"))
		q.dots()
		q.changed(rapid.Int64Range(0, q.head).Draw(r, "since"), rapid.IntRange(1, 6).Draw(r, "limit"))
		q.history(rapid.SampledFrom(paths).Draw(r, "path"), rapid.IntRange(1, 5).Draw(r, "page"))
	})
}

// question asks an engine and a slice about the same operations.
type question struct {
	*rapid.T
	s    store.Database
	ref  ledger.SessionRef
	w    written
	head int64
}

func (q question) want(what string, got, want []string) {
	if !slices.Equal(got, want) {
		q.Fatalf("%s\ngot  %q\nwant %q", what, got, want)
	}
}

func (q question) ask(fn func(ctx context.Context, tx store.ReadTx) error) {
	err := q.s.View(context.Background(), func(tx store.ReadTx) error { return fn(context.Background(), tx) })
	if err != nil {
		q.Fatalf("View: %v", err)
	}
}

func (q question) live(at, below []crdt.Pointer) {
	q.ask(func(ctx context.Context, tx store.ReadTx) error {
		live, err := store.As[store.OpReader](tx).LiveOps(ctx, q.ref, at, below)
		q.want(fmt.Sprint("live at ", at, " and below ", below), asStored(live).names(),
			q.w.where(func(op ledger.Op) bool {
				return op.SupersededSeq == 0 && (slices.Contains(at, op.Path) || holds(below, op.Path))
			}).names())
		contested, err2 := store.As[store.OpReader](tx).ContestedOps(ctx, q.ref, below)
		q.want(fmt.Sprint("contested below ", below), asStored(contested).names(), q.w.where(func(op ledger.Op) bool {
			return op.SupersededSeq == 0 && op.Contested && holds(below, op.Path) && slices.ContainsFunc(below,
				func(p crdt.Pointer) bool { return p != op.Path && p.Holds(op.Path) })
		}).names())
		return errors.Join(err, err2)
	})
}

func (q question) then(seq int64, top crdt.Pointer) {
	for _, seq := range []int64{seq, 0} {
		for _, top := range []crdt.Pointer{"", top} {
			var got written
			q.ask(func(ctx context.Context, tx store.ReadTx) error {
				return store.As[store.OpReader](tx).EachLiveOp(ctx, q.ref, seq, top, func(op crdt.Op) error {
					got = append(got, ledger.Op{Op: op})
					return nil
				})
			})
			q.want(fmt.Sprintf("live at number %d from %q on", seq, top), got.names(),
				q.w.where(func(op ledger.Op) bool {
					live := op.SupersededSeq == 0
					if seq > 0 {
						live = op.Merged <= seq && (op.SupersededSeq == 0 || op.SupersededSeq > seq)
					}
					return live && (top == "" || top.Holds(op.Path))
				}).names())
		}
	}
}

func (q question) inhabited(asked []crdt.Pointer) {
	q.ask(func(ctx context.Context, tx store.ReadTx) error {
		got, err := store.As[store.OpReader](tx).Inhabited(ctx, q.ref, asked)
		want := map[crdt.Pointer]bool{}
		for _, p := range asked {
			if slices.ContainsFunc(q.w, func(op ledger.Op) bool {
				return op.SupersededSeq == 0 && op.Path != p &&
					p.Holds(op.Path)
			}) {
				want[p] = true
			}
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			q.Fatalf("inhabited of %q: %q, want %q", asked, got, slices.Sorted(maps.Keys(want)))
		}
		return err
	})
}

func (q question) dots() {
	asked := []crdt.Dot{
		{Actor: "a", Batch: 1},
		{Actor: "A", Batch: 1, Index: 1},
		{Actor: "~u1", Batch: 2},
		{Actor: "nobody", Batch: 1},
		{Actor: "a", Batch: 1},
	}
	q.ask(func(ctx context.Context, tx store.ReadTx) error {
		found, err := store.As[store.OpReader](tx).OpsByDot(ctx, q.ref, asked)
		got := written(found)
		got.sort()
		q.want("by dot", got.names(), q.w.where(func(op ledger.Op) bool {
			return slices.Contains(asked,
				op.Dot)
		}).names())
		return err
	})
}

// changed walks through what changed after since: each page must hold what changed up to its end,
// and not many more than limit.
func (q question) changed(since int64, limit int) {
	in := func(n, from, to int64) bool { return from < n && n <= to }
	for from := since; ; {
		var got []crdt.Pointer
		var until int64
		q.ask(func(ctx context.Context, tx store.ReadTx) (err error) {
			got, until, err = store.As[store.OpReader](tx).ChangedPaths(ctx, q.ref, from, q.head, limit)
			return err
		})
		want := map[crdt.Pointer]bool{}
		for _, op := range q.w {
			if in(op.Merged, from, until) || in(op.SupersededSeq, from, until) || in(op.Noted, from, until) {
				want[op.Path] = true
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, slices.Sorted(maps.Keys(want))) || until > q.head || until <= from && from < q.head {
			q.Fatalf("changed after %d: %q until %d of %d, want %q", from, got, until, q.head,
				slices.Sorted(maps.Keys(want)))
		}
		if until == q.head {
			return
		}
		from = until
	}
}

func (q question) history(p crdt.Pointer, limit int) {
	want := q.w.where(func(op ledger.Op) bool { return p.Holds(op.Path) })
	slices.SortFunc(want, func(a, b ledger.Op) int {
		return cmp.Or(cmp.Compare(b.Seq, a.Seq), cmp.Compare(b.Path.Key(), a.Path.Key()), cmp.Compare(b.Index, a.Index))
	})
	var got written
	for page := (store.Page{Limit: limit}); ; {
		var rows []store.Keyed[ledger.Op]
		q.ask(func(ctx context.Context, tx store.ReadTx) (err error) {
			rows, err = store.As[store.OpReader](tx).History(ctx, q.ref, p, page)
			return err
		})
		for _, row := range rows {
			got, page.After = append(got, row.Row), row.Key
		}
		if len(rows) < limit {
			break
		}
	}
	q.want(fmt.Sprint("history of ", p), got.names(), want.names())
}
