package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectEntries = "SELECT " + row.EntryColumns + " FROM batches"

func (t readTx) Head(ctx context.Context, s ledger.SessionRef) (ledger.Head, error) {
	h, err := one(ctx, t, row.ScanHead, "SELECT "+row.HeadColumns+" FROM session_heads WHERE org = $1 AND session_id = $2", s.Org, s.Session)
	return found(h, err, "session")
}

func scanEntry(r row.Scanner) (ledger.Entry, error) { return row.ScanEntry(r) }

// columns splits a list into two columns for unnest.
func columns[T any, A, B any](list []T, a func(T) A, b func(T) B) ([]A, []B) {
	as, bs := make([]A, len(list)), make([]B, len(list))
	for i, v := range list {
		as[i], bs[i] = a(v), b(v)
	}
	return as, bs
}

func (t readTx) Entries(ctx context.Context, s ledger.SessionRef, refs []ledger.BatchRef) ([]ledger.Entry, error) {
	actors, numbers := columns(refs, func(r ledger.BatchRef) string { return string(r.Actor) }, func(r ledger.BatchRef) int64 { return r.Number })
	return all(ctx, t, scanEntry, "SELECT "+row.EntryColumns+" FROM (SELECT DISTINCT * FROM unnest($3::text[], $4::bigint[]) r (who, n)) r"+batchOf+
		"kind = 'changes' AND actor = r.who AND number = r.n OFFSET 0) b", s.Org, s.Session, actors, numbers)
}

func (t readTx) EntriesByKey(ctx context.Context, s ledger.SessionRef, keys []ledger.BatchKey) ([]ledger.Entry, error) {
	actors, names := columns(keys, func(k ledger.BatchKey) string { return string(k.Actor) }, func(k ledger.BatchKey) string { return k.Key })
	return all(ctx, t, scanEntry, "SELECT "+row.EntryColumns+" FROM (SELECT DISTINCT * FROM unnest($3::text[], $4::text[]) k (who, name)) k"+batchOf+
		"idempotency_key <> '' AND actor = k.who AND idempotency_key = k.name OFFSET 0) b", s.Org, s.Session, actors, names)
}

func (t readTx) EntryByBatchID(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, id string) (ledger.Entry, error) {
	b, err := one(ctx, t, scanEntry, selectEntries+` WHERE org = $1 AND session_id = $2 AND kind = 'changes' AND actor = $3 AND batch_id = $4
		ORDER BY number DESC LIMIT 1`, s.Org, s.Session, actor, id)
	return found(b, err, "batch")
}

// logPage is how many log entries a walk over the log holds in memory at a time, and logPageBytes about how much of their changes.
const (
	logPage      = 100
	logPageBytes = 4 << 20
)

// A page of the log ends before the entry with which its changes would be too much to hold, but for its first.
const (
	logFrom = " FROM batches WHERE org = $1 AND session_id = $2 AND seq >= $3"
	logLate = " AND merged_seq = 0"
	logEnd  = ` AND seq < coalesce((SELECT min(seq) FROM (
			SELECT seq, sum(size) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS n
			FROM (SELECT seq, octet_length(changes) AS size%s ORDER BY seq LIMIT $4) p) q
		WHERE total > $5 AND n > 1), 9223372036854775807) ORDER BY seq LIMIT $4`
)

func (t readTx) EachEntry(ctx context.Context, s ledger.SessionRef, from int64, fn func(ledger.Entry) error) error {
	return t.walkLog(ctx, s, from, logFrom, fn)
}

func (t readTx) EachLateEntry(ctx context.Context, s ledger.SessionRef, fn func(ledger.Entry) error) error {
	return t.walkLog(ctx, s, 0, logFrom+logLate, fn)
}

// walkLog pages through the entries that which selects, from number from on.
func (t readTx) walkLog(ctx context.Context, s ledger.SessionRef, from int64, which string, fn func(ledger.Entry) error) error {
	query := "SELECT " + row.EntryColumns + ", changes" + which + fmt.Sprintf(logEnd, which)
	for {
		page, err := all(ctx, t, row.ScanEntryChanges, query, s.Org, s.Session, from, logPage, logPageBytes)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, b := range page {
			if err := fn(b); err != nil {
				return err
			}
			from = b.Seq + 1
		}
	}
}

func (t readTx) EntryHash(ctx context.Context, s ledger.SessionRef, seq int64) ([]byte, error) {
	hash, err := one(ctx, t, scanBytes, "SELECT hash FROM batches WHERE org = $1 AND session_id = $2 AND seq = $3", s.Org, s.Session, seq)
	return found(hash, err, "log entry")
}

func (t readTx) EntryHashes(ctx context.Context, s ledger.SessionRef, size int64) ([][]byte, error) {
	return all(ctx, t, scanBytes, "SELECT hash FROM batches WHERE org = $1 AND session_id = $2 AND seq <= $3 ORDER BY seq", s.Org, s.Session, size)
}

// runAt is the run of actor a.id as of a.seq.
const runAt = `coalesce((SELECT number FROM batches b WHERE b.org = $1 AND b.session_id = $2 AND b.actor = a.id AND b.run_seq > 0
	AND b.run_seq <= a.seq ORDER BY b.run_seq DESC, b.number DESC LIMIT 1), 0)`

func (t readTx) Runs(ctx context.Context, s ledger.SessionRef, asks []store.RunAsk) ([]int64, error) {
	actors, seqs := columns(asks, func(a store.RunAsk) string { return string(a.Actor) }, func(a store.RunAsk) int64 { return a.Seq })
	return all(ctx, t, scanInt, "SELECT "+runAt+" FROM unnest($3::text[], $4::bigint[]) WITH ORDINALITY a (id, seq, n) ORDER BY n",
		s.Org, s.Session, actors, seqs)
}

func (t readTx) ClockAt(ctx context.Context, s ledger.SessionRef, seq int64) (crdt.Clock, error) {
	type entry struct {
		actor crdt.ActorID
		run   int64
	}
	entries, err := all(ctx, t, func(r row.Scanner) (e entry, err error) {
		err = r.Scan(&e.actor, &e.run)
		return e, err
	}, "SELECT id, "+runAt+" FROM (SELECT id, $3::bigint AS seq FROM actors WHERE org = $1 AND session_id = $2) a", s.Org, s.Session, seq)
	clock := crdt.Clock{}
	for _, e := range entries {
		if e.run > 0 {
			clock[e.actor] = e.run
		}
	}
	return clock, err
}

func (t readTx) SeqAt(ctx context.Context, s ledger.SessionRef, at time.Time) (int64, error) {
	n, err := one(ctx, t, scanInt, `SELECT seq FROM batches WHERE org = $1 AND session_id = $2 AND received_at <= $3
		ORDER BY seq DESC LIMIT 1`, s.Org, s.Session, store.Micros(at))
	if errors.Is(err, errNone) {
		return 0, nil
	}
	return n, err
}

// ofSession puts the session before the values of a row.
func ofSession(s ledger.SessionRef, values []any, err error) ([]any, error) {
	return append([]any{s.Org, s.Session}, values...), err
}

func (t writeTx) InsertEntries(ctx context.Context, s ledger.SessionRef, batches []ledger.Entry) error {
	_, err := writeAll(ctx, t, row.EntryTaken, insertInto("batches", "org, session_id, "+row.EntryColumns+", changes"), batches,
		func(b ledger.Entry) ([]any, error) {
			values, err := row.EntryValues(b)
			return ofSession(s, values, err)
		})
	return err
}

func (t writeTx) MarkMerged(ctx context.Context, s ledger.SessionRef, seqs []int64, merged int64) error {
	return t.exec(ctx, "UPDATE batches SET merged_seq = $1 WHERE org = $2 AND session_id = $3 AND seq = ANY($4)", merged, s.Org, s.Session, seqs)
}

func (t writeTx) SetRuns(ctx context.Context, s ledger.SessionRef, runs []store.RunChange) error {
	_, err := writeAll(ctx, t, row.Taken{}, `UPDATE batches SET run_seq = $1 WHERE org = $2 AND session_id = $3 AND kind = 'changes' AND actor = $4
		AND number BETWEEN $5 AND $6`, runs, func(r store.RunChange) ([]any, error) {
		return []any{r.Seq, s.Org, s.Session, r.Actor, r.From, r.To}, nil
	})
	return err
}

func (t writeTx) InsertQuarantined(ctx context.Context, s ledger.SessionRef, q ledger.Quarantined) error {
	return t.exec(ctx, insertInto("quarantine", "org, session_id, "+row.QuarantineColumns)+" ON CONFLICT DO NOTHING",
		append([]any{s.Org, s.Session}, row.QuarantineValues(q)...)...)
}

func (t readTx) EachQuarantined(ctx context.Context, s ledger.SessionRef, fn func(ledger.Quarantined) error) error {
	last := ""
	for {
		page, err := all(ctx, t, row.ScanQuarantined, "SELECT "+row.QuarantineColumns+` FROM quarantine
			WHERE org = $1 AND session_id = $2 AND fresh > $3 ORDER BY fresh LIMIT $4`, s.Org, s.Session, last, logPage)
		if err != nil {
			return err
		}
		for _, q := range page {
			if err := fn(q); err != nil {
				return err
			}
			last = string(q.Fresh)
		}
		if len(page) < logPage {
			return nil
		}
	}
}

func (t readTx) DefectsOfItems(ctx context.Context, s ledger.SessionRef, items []firemode.ItemID) ([]firemode.Defect, error) {
	return all(ctx, t, row.ScanDefect, "SELECT "+row.DefectColumns+` FROM (SELECT DISTINCT unnest($3::text[]) AS asked) q
		CROSS JOIN LATERAL (SELECT * FROM defects WHERE org = $1 AND session_id = $2 AND item_id = q.asked OFFSET 0) d`, s.Org, s.Session, row.Strings(items))
}
