package verify

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"reflect"

	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// compare reports what is stored differently from what was rebuilt.
func (s *verification) compare(ctx context.Context, rebuilt store.ReadTx) error {
	for _, compare := range []func(context.Context, store.ReadTx) error{
		s.compareEntries, s.compareOps, s.compareActors, s.compareItems, s.compareHead, s.compareResults,
	} {
		if err := compare(ctx, rebuilt); err != nil {
			return err
		}
	}
	for _, r := range s.recomputers {
		if err := r.Compare(ctx, s.tx, rebuilt); err != nil {
			return err
		}
	}
	return nil
}

// compareEntries compares the fields of log entries that are not hashed, because they follow from
// later entries.
func (s *verification) compareEntries(ctx context.Context, rebuilt store.ReadTx) error {
	var failed error
	all := func(tx store.ReadTx) iter.Seq[ledger.Entry] {
		return sequence(func(fn func(ledger.Entry) error) error {
			return store.As[store.EntryReader](tx).EachEntry(ctx, s.ref, 1, fn)
		}, &failed)
	}
	bySeq := func(x, y *ledger.Entry) int { return cmp.Compare(x.Seq, y.Seq) }
	eachPair(all(s.tx), all(rebuilt), bySeq, func(x, y *ledger.Entry) {
		if x != nil && y != nil && (x.MergedSeq != y.MergedSeq || x.PrefixSeq != y.PrefixSeq) {
			s.differs(entryName(x.Seq),
				"it is stored as merged at %d and in its contiguous prefix at %d, and comes out as %d and %d",
				x.MergedSeq, x.PrefixSeq, y.MergedSeq, y.PrefixSeq)
		}
	})
	return failed
}

func (s *verification) compareOps(ctx context.Context, rebuilt store.ReadTx) error {
	var failed error
	all := func(tx store.ReadTx) iter.Seq[ledger.Op] {
		return sequence(func(fn func(ledger.Op) error) error {
			return store.As[store.OpReader](tx).EachOp(ctx, s.ref, fn)
		}, &failed)
	}
	eachPair(all(s.tx), all(rebuilt), byPath, func(x, y *ledger.Op) {
		switch {
		case x == nil:
			s.differs("ops "+opName(y), "it is missing")
		case y == nil:
			s.differs("ops "+opName(x), "it does not follow from the log")
		case !reflect.DeepEqual(x, y):
			s.differs("ops "+opName(x), "it is stored as %s and comes out as %s", describeOp(x), describeOp(y))
		}
	})
	return failed
}

// byPath is the order of OpReader.EachOp.
func byPath(x, y *ledger.Op) int {
	return cmp.Or(cmp.Compare(x.Path.Key(), y.Path.Key()), cmp.Compare(x.Seq, y.Seq), cmp.Compare(x.Index, y.Index))
}

func opName(op *ledger.Op) string { return string(op.Path) + " " + op.Dot.String() }

func describeOp(op *ledger.Op) string {
	return fmt.Sprintf("%s %s (time %d, sum %d, merged %d, superseded %d, contested %t, names %v, origin %+v)",
		op.Kind, op.Value, op.Time, op.Sum, op.Merged, op.SupersededSeq, op.Contested, op.Names, *op.Origin)
}
