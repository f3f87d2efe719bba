package row

import (
	"cmp"
	"math"
	"slices"
	"time"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// EntryColumns are those of table batches but for changes, which is long.
const EntryColumns = "seq, kind, actor, number, batch_id, prev_batch_id, content, idempotency_key, user_id, submitted_by, client, " +
	"client_type, captured_at, sent_at, received_at, context, outcomes, flags, prev, hash, merged_seq, run_seq"

// EntryTaken says what InsertEntries found taken.
var EntryTaken = Taken{Primary: "the log has gone on meanwhile", Unique: "a batch with this number is in the log already"}

// EntryValues are in the order of EntryColumns, then changes.
func EntryValues(b ledger.Entry) ([]any, error) {
	var e encoder
	values := []any{
		b.Seq, b.Kind, b.Actor, b.Number, b.ID, b.PrevID, blob(b.Content), b.Key, b.User, b.SubmittedBy, b.Client,
		b.ClientType, store.Micros(b.CapturedAt), store.Micros(b.SentAt), store.Micros(b.ReceivedAt), e.json(b.Context), e.json(b.Outcomes),
		e.json(b.Flags), blob(b.Prev), blob(b.Hash), b.MergedSeq, b.PrefixSeq, string(b.Changes),
	}
	return values, e.err
}

// ScanEntry reads EntryColumns, then into more.
func ScanEntry(r Scanner, more ...any) (b ledger.Entry, err error) {
	err = scan(r, "batches", append([]any{
		&b.Seq, &b.Kind, &b.Actor, &b.Number, &b.ID, &b.PrevID, &b.Content, &b.Key, &b.User, &b.SubmittedBy, &b.Client,
		&b.ClientType,
		store.TimeColumn{Into: &b.CapturedAt},
		store.TimeColumn{Into: &b.SentAt},
		store.TimeColumn{Into: &b.ReceivedAt},
		store.JSONColumn{Into: &b.Context},
		store.JSONColumn{Into: &b.Outcomes},
		store.JSONColumn{Into: &b.Flags},
		&b.Prev, &b.Hash,
		&b.MergedSeq, &b.PrefixSeq,
	}, more...)...)
	return b, err
}

// ScanEntryChanges reads EntryColumns, then changes.
func ScanEntryChanges(r Scanner) (ledger.Entry, error) {
	var changes string
	b, err := ScanEntry(r, &changes)
	b.Changes = []byte(changes)
	return b, err
}

// ActorColumns are those of table actors.
const ActorColumns = "id, client, client_type, user_id, held, merged, run_seq, delivered, parent, last_sync"

// ActorValues are in the order of ActorColumns.
func ActorValues(a ledger.Actor) ([]any, error) {
	var e encoder
	values := []any{a.ID, a.Client, a.ClientType, a.User, e.json(a.Held), e.json(a.Merged), a.PrefixSeq, a.Delivered, a.Parent, store.Micros(a.LastSync)}
	return values, e.err
}

// ScanActor reads ActorColumns.
func ScanActor(r Scanner) (a ledger.Actor, err error) {
	err = scan(r, "actors", &a.ID, &a.Client, &a.ClientType, &a.User, store.JSONColumn{Into: &a.Held}, store.JSONColumn{Into: &a.Merged}, &a.PrefixSeq,
		&a.Delivered, &a.Parent, store.TimeColumn{Into: &a.LastSync})
	return a, err
}

// OpColumns are those of table ops, o, and of its batch, b, from which an operation is read.
const OpColumns = "o.path, o.seq, o.idx, o.kind, o.value, o.names, o.time, o.sum, o.contested, o.origin, o.merged_seq, o.covered_seq, o.noted_seq, " +
	"b.actor, b.number, b.context, b.user_id, b.submitted_by, b.client, b.received_at"

// OpInsertColumns are those of table ops.
const OpInsertColumns = "path, seq, idx, kind, value, names, time, sum, contested, origin, merged_seq, covered_seq, noted_seq"

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
		op.Path.Key(), op.Seq, op.Index, op.Kind, op.Value, e.json(op.Names), op.Time, op.Sum, op.Contested, e.json(from), op.Merged, op.SupersededSeq, op.Noted,
	}
	return values, e.err
}

// ScanOp reads OpColumns.
func ScanOp(r Scanner) (op ledger.Op, err error) {
	var key string
	var from origin
	var received time.Time
	o := &crdt.Origin{}
	err = scan(r, "ops", &key, &op.Seq, &op.Index, &op.Kind, &op.Value, store.JSONColumn{Into: &op.Names}, &op.Time, &op.Sum, &op.Contested,
		store.JSONColumn{Into: &from}, &op.Merged, &op.SupersededSeq, &op.Noted, &op.Actor, &op.Batch, store.JSONColumn{Into: &op.Foreign},
		&o.User, &o.SubmittedBy, &o.Client, store.TimeColumn{Into: &received})
	o.CapturedAt, o.ReceivedAt = store.FromMicros(from.CapturedAt), received
	o.Instrument, o.Source, o.Reason, o.Flags = from.Instrument, from.Source, from.Reason, from.Flags
	op.Path, op.Origin = crdt.PointerOfKey(key), o
	return op, err
}

// HistoryKey is the key of an operation in a session's history, which is ordered by log entry, path and index, newest first.
func HistoryKey(op ledger.Op) string {
	return store.Key(op.Seq, store.Key(int64(op.Index), op.Path.Key()))
}

// MergeHistory merges two parts of a history, each ordered as HistoryKey says, and returns the first limit.
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

// Past is a key that comes after those of p and of everything below it, and before all others that come after p's. After "" it is past
// every key.
func Past(p crdt.Pointer) string { return p.Key() + "\x02" }

// Covering splits what LiveOps and ContestedOps are asked for so that nothing is found twice: tops are those of below that are not
// under another of them, and exact those of at that are neither a top nor under one.
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

// QuarantineColumns are those of table quarantine.
const QuarantineColumns = "fresh, actor, number, content, batch_id, prev_batch_id, user_id, received_at, changes, reason, hash"

// QuarantineValues are in the order of QuarantineColumns.
func QuarantineValues(q ledger.Quarantined) []any {
	return []any{
		q.Fresh, q.Actor, q.Number, blob(q.Content), q.ID, q.PrevID, q.User, store.Micros(q.ReceivedAt), string(q.Changes), q.Reason, blob(q.Hash),
	}
}

// ScanQuarantined reads QuarantineColumns.
func ScanQuarantined(r Scanner) (q ledger.Quarantined, err error) {
	var changes string
	err = scan(r, "quarantine", &q.Fresh, &q.Actor, &q.Number, &q.Content, &q.ID, &q.PrevID, &q.User, store.TimeColumn{Into: &q.ReceivedAt}, &changes, &q.Reason, &q.Hash)
	q.Changes = []byte(changes)
	return q, err
}
