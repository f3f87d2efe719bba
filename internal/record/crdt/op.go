package crdt

import (
	"cmp"
	"slices"
	"time"
)

// Op is one operation on one register, as it is stored. Only Contested changes after it was stored.
type Op struct {
	Dot
	Path    Pointer
	Kind    Kind
	Value   Value // "" for a removal, and for a resolve to absent
	Names   []Dot // what resolve and correct supersede
	Time    int64 // effective time in microseconds since the epoch, 0 when the clock is suspect
	Sum     int64 // of the context; of the named dots for resolve and correct
	Foreign Clock // the clamped foreign entries of its batch; shared, not to be changed
	// Contested says that a live value or removal above has not been seen by this op: it takes part
	// in that one's conflict.
	Contested bool
	Origin    *Origin // who and how; shared by what came in one change, may be nil where nothing shows it
	Seq       int64   // number of its batch in the log; the merge itself does not use it
}

// Origin is the provenance of a change.
type Origin struct {
	User        string
	SubmittedBy string // who handed in an exported batch for User, "" for User itself
	Client      string // as the client named itself, "" for one that did not
	CapturedAt  time.Time
	ReceivedAt  time.Time
	Instrument  Value
	Source      string
	Reason      string
	Flags       []string
}

// OpID identifies an operation.
type OpID struct {
	Dot  Dot
	Path Pointer
}

// ID returns the identity of op.
func (op *Op) ID() OpID { return OpID{op.Dot, op.Path} }

// sweeps reports whether op supersedes what its writer had seen at its path and below. An append is
// a set of its child.
func (op *Op) sweeps() bool { return op.Kind == Set || op.Kind == Remove || op.Kind == Append }

// bears reports whether op can be live: all but a resolve to absent, which is no removal and
// conflicts with nothing.
func (op *Op) bears() bool { return op.Kind == Remove || op.Value != "" }

func (op *Op) removal() bool { return op.Kind == Remove }

// compare ranks siblings: the greatest is shown. Causality has decided whatever it could; this only
// ranks true conflicts.
func (op *Op) compare(other *Op) int {
	return cmp.Or(
		compareBool(!op.removal(), !other.removal()),
		cmp.Compare(op.Time, other.Time),
		cmp.Compare(op.Sum, other.Sum),
		op.Dot.Compare(other.Dot),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// Batch is what of a batch the making of operations needs.
type Batch struct {
	Actor   ActorID
	Number  int64
	Foreign Clock // clamped, see Clamp
	Changes []Change
}

// Stamp is the effective time of a change and its provenance.
type Stamp struct {
	Time   int64
	Origin *Origin
}

// Ops returns the operations that change i of b stands for, one for each register it writes.
func (b *Batch) Ops(i int, stamp Stamp) []Op {
	c := &b.Changes[i]
	op := Op{
		Dot: Dot{b.Actor, b.Number, i}, Path: c.Path, Kind: c.Kind, Value: c.Value, Names: c.Names,
		Time: stamp.Time, Sum: b.Foreign.Sum() + b.Number, Foreign: b.Foreign, Origin: stamp.Origin,
	}
	if c.Kind == Append {
		op.Path = c.Path.Child(op.Dot.String())
	}
	names := c.Kind == Resolve || c.Kind == Correct
	if names {
		op.Sum = int64(len(c.Names))
	}
	if !c.Value.isObject() {
		return []Op{op}
	}
	leaves, err := flatten(op.Path, c.Value)
	if err != nil {
		return nil // checked when the change was parsed
	}
	ops := make([]Op, 0, len(leaves)+1)
	if names {
		// What is named may be anywhere at or below the path, not only at a leaf: an operation at
		// the path itself supersedes it, and the leaves carry the values.
		superseding := op
		superseding.Kind, superseding.Value = Resolve, ""
		ops = append(ops, superseding)
		op.Names = nil
	}
	for _, l := range leaves {
		op.Path, op.Value = l.path, l.value
		ops = append(ops, op)
	}
	return ops
}

// sortOps orders ops by path and dot.
func sortOps(ops []*Op) {
	slices.SortFunc(ops, func(a, b *Op) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), a.Dot.Compare(b.Dot))
	})
}
