package row

import (
	"context"
	"fmt"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// EntryColumns are those of table batches but for changes, which is long.
const EntryColumns = "seq, kind, actor, number, batch_id, prev_batch_id, content, idempotency_key, user_id, " +
	"submitted_by, client, " +
	"client_type, captured_at, sent_at, received_at, context, outcomes, flags, prev, hash, merged_seq, run_seq"

// EntryTaken says what InsertEntries found taken.
var EntryTaken = Taken{
	Primary: "another entry was added to the log meanwhile",
	Unique:  "a batch with this number is in the log already",
}

// EntryValues are in the order of EntryColumns, then changes.
func EntryValues(b ledger.Entry) ([]any, error) {
	var e encoder
	values := []any{
		b.Seq, b.Kind, b.Actor, b.Number, b.ID, b.PrevID, blob(b.Content), b.Key, b.User, b.SubmittedBy, b.Client,
		b.ClientType, store.Micros(b.CapturedAt), store.Micros(b.SentAt), store.Micros(b.ReceivedAt),
		e.json(b.Context), e.json(b.Outcomes),
		e.json(b.Flags), blob(b.Prev), blob(b.Hash), b.MergedSeq, b.PrefixSeq, string(b.Changes),
	}
	return values, e.err
}

// ScanEntry reads EntryColumns.
func ScanEntry(r Scanner) (ledger.Entry, error) { return scanEntry(r) }

// scanEntry reads EntryColumns, then into more.
func scanEntry(r Scanner, more ...any) (b ledger.Entry, err error) {
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
	b, err := scanEntry(r, &changes)
	b.Changes = []byte(changes)
	return b, err
}

// QuarantineColumns are those of table quarantine.
const QuarantineColumns = "fresh, actor, number, content, batch_id, prev_batch_id, user_id, received_at, changes, " +
	"reason, hash"

// QuarantineValues are in the order of QuarantineColumns.
func QuarantineValues(q ledger.Quarantined) []any {
	return []any{
		q.Fresh, q.Actor, q.Number, blob(q.Content), q.ID, q.PrevID, q.User, store.Micros(q.ReceivedAt),
		string(q.Changes), q.Reason, blob(q.Hash),
	}
}

// ScanQuarantined reads QuarantineColumns.
func ScanQuarantined(r Scanner) (q ledger.Quarantined, err error) {
	var changes string
	err = scan(r, "quarantine", &q.Fresh, &q.Actor, &q.Number, &q.Content, &q.ID, &q.PrevID, &q.User,
		store.TimeColumn{Into: &q.ReceivedAt}, &changes, &q.Reason, &q.Hash)
	q.Changes = []byte(changes)
	return q, err
}

const selectEntries = "SELECT " + EntryColumns + " FROM batches"

// EntryByBatchID implements store.EntryReader.
func (r Reader) EntryByBatchID(
	ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, id string,
) (ledger.Entry, error) {
	b, err := One(ctx, r.sql, ScanEntry, selectEntries+` WHERE org = ? AND session_id = ? AND kind = 'changes'
		AND actor = ?
		AND batch_id = ? ORDER BY number DESC LIMIT 1`, s.Org, s.Session, actor, id)
	return Found(b, err, "batch")
}

// logPage is how many log entries a walk over the log holds in memory at a time, and logPageBytes
// about how much of their changes.
const (
	logPage      = 100
	logPageBytes = 4 << 20
)

// A page of the log ends before the entry with which its changes would be too much to hold, but for
// its first.
const (
	logFrom = " FROM batches WHERE org = ?1 AND session_id = ?2 AND seq >= ?3"
	logLate = " AND merged_seq = 0"
	logEnd  = ` AND seq < coalesce((SELECT min(seq) FROM (
			SELECT seq, sum(size) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS n
			FROM (SELECT seq, octet_length(changes) AS size%s ORDER BY seq LIMIT ?4) p) q
		WHERE total > ?5 AND n > 1), 9223372036854775807) ORDER BY seq LIMIT ?4`
)

// EachEntry implements store.EntryReader.
func (r Reader) EachEntry(ctx context.Context, s ledger.SessionRef, from int64, fn func(ledger.Entry) error) error {
	return r.walkLog(ctx, s, from, false, fn)
}

// EachLateEntry implements store.EntryReader.
func (r Reader) EachLateEntry(ctx context.Context, s ledger.SessionRef, fn func(ledger.Entry) error) error {
	return r.walkLog(ctx, s, 0, true, fn)
}

// SelectLog selects EntryColumns and changes of a page of the log, or of its entries that are not
// merged yet.
func SelectLog(late bool) string {
	from := logFrom
	if late {
		from += logLate
	}
	return "SELECT " + EntryColumns + ", changes" + from + fmt.Sprintf(logEnd, from)
}

// walkLog pages through the log from number from on.
func (r Reader) walkLog(
	ctx context.Context, s ledger.SessionRef, from int64, late bool, fn func(ledger.Entry) error,
) error {
	query := SelectLog(late)
	return EachPage(1, func(last *ledger.Entry) ([]ledger.Entry, error) {
		if last != nil {
			from = last.Seq + 1
		}
		return All(ctx, r.sql, ScanEntryChanges, query, s.Org, s.Session, from, logPage, logPageBytes)
	}, fn)
}

// EntryHash implements store.EntryReader.
func (r Reader) EntryHash(ctx context.Context, s ledger.SessionRef, seq int64) ([]byte, error) {
	hash, err := One(ctx, r.sql, Bytes, "SELECT hash FROM batches WHERE org = ? AND session_id = ? AND seq = ?", s.Org,
		s.Session, seq)
	return Found(hash, err, "log entry")
}

// EntryHashes implements store.EntryReader.
func (r Reader) EntryHashes(ctx context.Context, s ledger.SessionRef, size int64) ([][]byte, error) {
	return All(ctx, r.sql, Bytes,
		"SELECT hash FROM batches WHERE org = ? AND session_id = ? AND seq <= ? ORDER BY seq", s.Org, s.Session, size)
}

// EachQuarantined implements store.EntryReader.
func (r Reader) EachQuarantined(ctx context.Context, s ledger.SessionRef, fn func(ledger.Quarantined) error) error {
	return EachPage(logPage, func(last *ledger.Quarantined) ([]ledger.Quarantined, error) {
		after := ""
		if last != nil {
			after = string(last.Fresh)
		}
		return All(ctx, r.sql, ScanQuarantined, "SELECT "+QuarantineColumns+` FROM quarantine
			WHERE org = ? AND session_id = ? AND fresh > ? ORDER BY fresh LIMIT ?`, s.Org, s.Session, after, logPage)
	}, fn)
}

// ofSession adds the session before the values of a row.
func ofSession(s ledger.SessionRef, values []any) []any {
	return append([]any{s.Org, s.Session}, values...)
}

// InsertEntries implements store.EntryWriter.
func (w Writer) InsertEntries(ctx context.Context, s ledger.SessionRef, entries []ledger.Entry) error {
	_, err := WriteAll(ctx, w.sql, EntryTaken, InsertInto("batches", "org, session_id, "+EntryColumns+", changes"),
		entries,
		func(e ledger.Entry) ([]any, error) {
			values, err := EntryValues(e)
			return ofSession(s, values), err
		})
	return err
}

// SetPrefixes implements store.EntryWriter.
func (w Writer) SetPrefixes(ctx context.Context, s ledger.SessionRef, prefixes []store.PrefixChange) error {
	_, err := WriteAll(ctx, w.sql, Taken{}, `UPDATE batches SET run_seq = ? WHERE org = ? AND session_id = ?
		AND kind = 'changes'
		AND actor = ? AND number BETWEEN ? AND ?`, prefixes, func(p store.PrefixChange) ([]any, error) {
		return []any{p.Seq, s.Org, s.Session, p.Actor, p.From, p.To}, nil
	})
	return err
}

// InsertQuarantined implements store.EntryWriter.
func (w Writer) InsertQuarantined(ctx context.Context, s ledger.SessionRef, q ledger.Quarantined) error {
	return Exec(ctx, w.sql, InsertInto("quarantine", "org, session_id, "+QuarantineColumns)+" ON CONFLICT DO NOTHING",
		ofSession(s, QuarantineValues(q))...)
}
