package row

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// OpColumns are those of table ops, o, and of its batch, b, from which an operation is read.
const OpColumns = "o.path, o.seq, o.idx, o.kind, o.value, o.names, o.time, o.sum, o.contested, o.origin, " +
	"o.merged_seq, o.covered_seq, o.noted_seq, " +
	"b.actor, b.number, b.context, b.user_id, b.submitted_by, b.client, b.received_at"

// OpInsertColumns are those of table ops.
const OpInsertColumns = "path, seq, idx, kind, value, names, time, sum, contested, origin, merged_seq, covered_seq, " +
	"noted_seq"

// origin is the part of crdt.Origin that belongs to a change; the rest belongs to its batch.
type origin struct {
	CapturedAt int64      `json:"at,omitempty"`
	Instrument crdt.Value `json:"instrument,omitempty"`
	Source     string     `json:"source,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Flags      []string   `json:"flags,omitempty"`
}

// OpValues are in the order of OpInsertColumns.
func OpValues(op ledger.Op) ([]any, error) {
	var e encoder
	var from origin
	if o := op.Origin; o != nil {
		from = origin{store.Micros(o.CapturedAt), o.Instrument, o.Source, o.Reason, o.Flags}
	}
	values := []any{
		op.Path.Key(), op.Seq, op.Index, op.Kind, op.Value, e.json(op.Names), op.Time, op.Sum, op.Contested,
		e.json(from), op.Merged, op.SupersededSeq, op.Noted,
	}
	return values, e.err
}

// ScanOp reads OpColumns.
func ScanOp(r Scanner) (op ledger.Op, err error) {
	var key string
	var from origin
	var received time.Time
	o := &crdt.Origin{}
	err = scan(r, "ops", &key, &op.Seq, &op.Index, &op.Kind, &op.Value, store.JSONColumn{Into: &op.Names}, &op.Time,
		&op.Sum, &op.Contested,
		store.JSONColumn{Into: &from}, &op.Merged, &op.SupersededSeq, &op.Noted, &op.Actor, &op.Batch,
		store.JSONColumn{Into: &op.Foreign},
		&o.User, &o.SubmittedBy, &o.Client, store.TimeColumn{Into: &received})
	o.CapturedAt, o.ReceivedAt = store.FromMicros(from.CapturedAt), received
	o.Instrument, o.Source, o.Reason, o.Flags = from.Instrument, from.Source, from.Reason, from.Flags
	op.Path, op.Origin = crdt.PointerOfKey(key), o
	return op, err
}

// HistoryKey is the key of an operation in a session's history, which is ordered by log entry, path
// and index, newest first.
func HistoryKey(op ledger.Op) string {
	return store.Key(op.Seq, store.Key(int64(op.Index), op.Path.Key()))
}

// MergeHistory merges two parts of a history, each ordered as HistoryKey says, and returns the
// first limit.
func MergeHistory(a, b []ledger.Op, limit int) []ledger.Op {
	all := append(a, b...)
	slices.SortFunc(all, func(x, y ledger.Op) int {
		return cmp.Or(cmp.Compare(y.Seq, x.Seq), cmp.Compare(y.Path.Key(), x.Path.Key()), cmp.Compare(y.Index, x.Index))
	})
	return all[:min(len(all), limit)]
}

// BeforeHistory takes a HistoryKey apart; for "" it is past every key.
func BeforeHistory(p store.Page) (seq int64, path string, index int64, err error) {
	if p.After == "" {
		return math.MaxInt64, "", 0, nil
	}
	seq, rest, err := store.ParseKey(p.After)
	if err != nil {
		return 0, "", 0, err
	}
	index, path, err = store.ParseKey(rest)
	return seq, path, index, err
}

// Pointers turns the keys of paths back into paths.
func Pointers(keys []string) []crdt.Pointer {
	paths := make([]crdt.Pointer, len(keys))
	for i, key := range keys {
		paths[i] = crdt.PointerOfKey(key)
	}
	return paths
}

// PathKeys are the keys of paths.
func PathKeys(paths []crdt.Pointer) []string {
	keys := make([]string, len(paths))
	for i, p := range paths {
		keys[i] = p.Key()
	}
	return keys
}

// Past is a key that comes after those of p and of everything below it, and before all others that
// come after p's. After "" it is past every key.
func Past(p crdt.Pointer) string { return p.Key() + "\x02" }

// Covering splits what LiveOps and ContestedOps are asked for so that nothing is found twice: tops
// are those of below that are not under another of them, and exact those of at that are neither a
// top nor under one.
func Covering(at, below []crdt.Pointer) (exact, tops []crdt.Pointer) {
	in := make(map[crdt.Pointer]bool, len(below))
	for _, p := range below {
		in[p] = true
	}
	under := func(p crdt.Pointer) bool {
		return slices.ContainsFunc(p.Ancestors(), func(q crdt.Pointer) bool { return in[q] })
	}
	for p := range in {
		if !under(p) {
			tops = append(tops, p)
		}
	}
	asked := make(map[crdt.Pointer]bool, len(at))
	for _, p := range at {
		if !in[p] && !under(p) && !asked[p] {
			asked[p] = true
			exact = append(exact, p)
		}
	}
	return exact, tops
}

// ScanCRDTOp reads OpColumns into the operation as the merge knows it.
func ScanCRDTOp(r Scanner) (crdt.Op, error) {
	op, err := ScanOp(r)
	return op.Op, err
}

// opsPage is how many operations a walk holds in memory at a time.
const opsPage = 250

// WalkPage ends the query of a page of WalkOps.
const WalkPage = " AND (o.path, o.seq, o.idx) > (?4, ?5, ?6) AND o.path < ?8 ORDER BY o.path, o.seq, o.idx LIMIT ?7"

// WalkOps calls fn for what query finds at top and below, in the order of the tree, then of the
// log. query is a SELECT of OpColumns whose parameters are organisation, session and seq.
func WalkOps(
	ctx context.Context, sql Engine, s ledger.SessionRef, seq int64, top crdt.Pointer, query string,
	fn func(ledger.Op) error,
) error {
	after := crdt.Op{Path: top}
	return EachPage(opsPage, func(last *ledger.Op) ([]ledger.Op, error) {
		if last != nil {
			after = last.Op
		}
		return All(ctx, sql, ScanOp, query+WalkPage,
			s.Org, s.Session, seq, after.Path.Key(), after.Seq, after.Index, opsPage, Past(top))
	}, fn)
}

// Sweeps runs a query for path, number and index of operations of actor in order of their dots, and
// returns the last dot of each path.
func Sweeps(
	ctx context.Context, sql Engine, actor crdt.ActorID, query string, args ...any,
) (map[crdt.Pointer]crdt.Dot, error) {
	last := map[crdt.Pointer]crdt.Dot{}
	err := sql.Query(ctx, query, args, func(r Scanner) error {
		var path string
		dot := crdt.Dot{Actor: actor}
		if err := r.Scan(&path, &dot.Batch, &dot.Index); err != nil {
			return err
		}
		last[crdt.PointerOfKey(path)] = dot
		return nil
	})
	return last, err
}

// Clock runs a query for actors and their prefixes, and returns those that are not 0.
func Clock(ctx context.Context, sql Engine, query string, args ...any) (crdt.Clock, error) {
	clock := crdt.Clock{}
	err := sql.Query(ctx, query, args, func(r Scanner) error {
		var actor crdt.ActorID
		var prefix int64
		if err := r.Scan(&actor, &prefix); err != nil {
			return err
		}
		if prefix > 0 {
			clock[actor] = prefix
		}
		return nil
	})
	return clock, err
}

// InsertOps implements store.OpWriter.
func (w Writer) InsertOps(ctx context.Context, s ledger.SessionRef, ops []ledger.Op) error {
	_, err := WriteAll(ctx, w.sql, Taken{}, InsertInto("ops", "org, session_id, "+OpInsertColumns), ops,
		func(op ledger.Op) ([]any, error) {
			values, err := OpValues(op)
			return ofSession(s, values), err
		})
	return err
}
