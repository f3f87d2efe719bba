package sqlite

import (
	"context"
	"encoding/json"
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
	h, err := one(ctx, t, row.ScanHead, "SELECT "+row.HeadColumns+" FROM session_heads WHERE org = ? AND session_id = ?", s.Org, s.Session)
	return found(h, err, "session")
}

func scanEntry(r row.Scanner) (ledger.Entry, error) { return row.ScanEntry(r) }

// Queries that must not cost more as the log grows name their index: the planner has no statistics and takes a primary key that
// holds all of a session for as good as a partial index that holds what is live.

func (t readTx) Entries(ctx context.Context, s ledger.SessionRef, refs []ledger.BatchRef) ([]ledger.Entry, error) {
	return all(ctx, t, scanEntry, "SELECT "+row.EntryColumns+` FROM json_each(?3) r CROSS JOIN batches INDEXED BY batches_actor
		WHERE org = ?1 AND session_id = ?2 AND kind = 'changes' AND actor = r.value ->> 'Actor' AND number = r.value ->> 'Number'`, s.Org, s.Session, list(refs))
}

func (t readTx) EntriesByKey(ctx context.Context, s ledger.SessionRef, keys []ledger.BatchKey) ([]ledger.Entry, error) {
	return all(ctx, t, scanEntry, "SELECT "+row.EntryColumns+` FROM json_each(?3) k CROSS JOIN batches INDEXED BY batches_key
		WHERE org = ?1 AND session_id = ?2 AND actor = k.value ->> 'Actor' AND idempotency_key = k.value ->> 'Key' AND idempotency_key <> ''`, s.Org, s.Session, list(keys))
}

func (t readTx) EntryByBatchID(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, id string) (ledger.Entry, error) {
	b, err := one(ctx, t, scanEntry, selectEntries+` WHERE org = ? AND session_id = ? AND kind = 'changes' AND actor = ? AND batch_id = ?
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
	logFrom = " FROM batches WHERE org = ?1 AND session_id = ?2 AND seq >= ?3"
	logLate = " AND merged_seq = 0"
	logEnd  = ` AND seq < coalesce((SELECT min(seq) FROM (
			SELECT seq, sum(size) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS n
			FROM (SELECT seq, octet_length(changes) AS size%s ORDER BY seq LIMIT ?4))
		WHERE total > ?5 AND n > 1), 9223372036854775807) ORDER BY seq LIMIT ?4`
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
	hash, err := one(ctx, t, scanBytes, "SELECT hash FROM batches WHERE org = ? AND session_id = ? AND seq = ?", s.Org, s.Session, seq)
	return found(hash, err, "log entry")
}

func (t readTx) EntryHashes(ctx context.Context, s ledger.SessionRef, size int64) ([][]byte, error) {
	return all(ctx, t, scanBytes, "SELECT hash FROM batches WHERE org = ? AND session_id = ? AND seq <= ? ORDER BY seq", s.Org, s.Session, size)
}

const runAt = `SELECT number FROM batches WHERE org = ? AND session_id = ? AND actor = ? AND run_seq > 0 AND run_seq <= ?
	ORDER BY run_seq DESC, number DESC LIMIT 1`

func (t readTx) Runs(ctx context.Context, s ledger.SessionRef, asks []store.RunAsk) ([]int64, error) {
	runs := make([]int64, len(asks))
	for i, ask := range asks {
		n, err := one(ctx, t, scanInt, runAt, s.Org, s.Session, ask.Actor, ask.Seq)
		if err != nil && !errors.Is(err, errNone) {
			return nil, err
		}
		runs[i] = n
	}
	return runs, nil
}

func (t readTx) ClockAt(ctx context.Context, s ledger.SessionRef, seq int64) (crdt.Clock, error) {
	type entry struct {
		actor crdt.ActorID
		run   int64
	}
	entries, err := all(ctx, t, func(r row.Scanner) (e entry, err error) {
		err = r.Scan(&e.actor, &e.run)
		return e, err
	}, `SELECT id, coalesce((SELECT number FROM batches b WHERE b.org = a.org AND b.session_id = a.session_id AND b.actor = a.id
			AND run_seq > 0 AND run_seq <= ? ORDER BY b.run_seq DESC, b.number DESC LIMIT 1), 0)
		FROM actors a WHERE org = ? AND session_id = ?`, seq, s.Org, s.Session)
	clock := crdt.Clock{}
	for _, e := range entries {
		if e.run > 0 {
			clock[e.actor] = e.run
		}
	}
	return clock, err
}

func (t readTx) SeqAt(ctx context.Context, s ledger.SessionRef, at time.Time) (int64, error) {
	n, err := one(ctx, t, scanInt, `SELECT seq FROM batches WHERE org = ? AND session_id = ? AND received_at <= ?
		ORDER BY seq DESC LIMIT 1`, s.Org, s.Session, store.Micros(at))
	if errors.Is(err, errNone) {
		return 0, nil
	}
	return n, err
}

func (t writeTx) InsertEntries(ctx context.Context, s ledger.SessionRef, batches []ledger.Entry) error {
	for _, b := range batches {
		values, err := row.EntryValues(b)
		if err != nil {
			return t.fail(err)
		}
		_, err = t.write(ctx, row.EntryTaken, "INSERT INTO batches (org, session_id, "+row.EntryColumns+`, changes)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append([]any{s.Org, s.Session}, values...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) MarkMerged(ctx context.Context, s ledger.SessionRef, seqs []int64, merged int64) error {
	return t.exec(ctx, `UPDATE batches SET merged_seq = ? WHERE org = ? AND session_id = ? AND seq IN (SELECT value FROM json_each(?))`,
		merged, s.Org, s.Session, list(seqs))
}

func (t writeTx) SetRuns(ctx context.Context, s ledger.SessionRef, runs []store.RunChange) error {
	for _, r := range runs {
		err := t.exec(ctx, `UPDATE batches SET run_seq = ? WHERE org = ? AND session_id = ? AND kind = 'changes' AND actor = ?
			AND number BETWEEN ? AND ?`, r.Seq, s.Org, s.Session, r.Actor, r.From, r.To)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) InsertQuarantined(ctx context.Context, s ledger.SessionRef, q ledger.Quarantined) error {
	return t.exec(ctx, "INSERT INTO quarantine (org, session_id, "+row.QuarantineColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, append([]any{s.Org, s.Session}, row.QuarantineValues(q)...)...)
}

func (t readTx) EachQuarantined(ctx context.Context, s ledger.SessionRef, fn func(ledger.Quarantined) error) error {
	last := ""
	for {
		page, err := all(ctx, t, row.ScanQuarantined, "SELECT "+row.QuarantineColumns+` FROM quarantine
			WHERE org = ? AND session_id = ? AND fresh > ? ORDER BY fresh LIMIT ?`, s.Org, s.Session, last, logPage)
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

const selectDefectsOfItems = selectDefects + " INDEXED BY defects_item WHERE org = ? AND session_id = ? AND item_id IN (SELECT value FROM json_each(?))"

func (t readTx) DefectsOfItems(ctx context.Context, s ledger.SessionRef, items []firemode.ItemID) ([]firemode.Defect, error) {
	return all(ctx, t, row.ScanDefect, selectDefectsOfItems, s.Org, s.Session, array(items))
}

// list returns v as the JSON array that json_each takes.
func list[T any](v []T) string {
	if v == nil {
		return "[]"
	}
	text, _ := json.Marshal(v) // plain structs of strings and numbers always can be
	return string(text)
}
