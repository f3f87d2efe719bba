package sqlite

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const (
	selectOps = "SELECT " + row.OpColumns + " FROM ops o" + joinBatches
	ofSession = " WHERE o.org = ?1 AND o.session_id = ?2"
)

// keys returns paths as the JSON array that json_each takes.
func keys(paths []crdt.Pointer) string { return list(row.PathKeys(paths)) }

const (
	liveAt = " CROSS JOIN ops o INDEXED BY ops_live ON o.org = ?1 AND o.session_id = ?2 AND o.path = p.value AND " +
		"o.covered_seq = 0"
	// Paths below p have keys between p's with \x01 and p's with \x02 behind it; see
	// crdt.Pointer.Key.
	below = " ON o.org = ?1 AND o.session_id = ?2 AND o.path > p.value || char(1) AND o.path < p.value || " +
		"char(2) AND o.covered_seq = 0"
	liveBelow   = " CROSS JOIN ops o INDEXED BY ops_live" + below
	joinBatches = " CROSS JOIN batches b ON b.org = o.org AND b.session_id = o.session_id AND b.seq = o.seq"
)

func (t readTx) LiveOps(ctx context.Context, s ledger.SessionRef, at, below []crdt.Pointer) ([]crdt.Op, error) {
	exact, under := row.Covering(at, below)
	return row.All(ctx, t.sql, row.ScanCRDTOp, "SELECT "+row.OpColumns+" FROM json_each(?3) p"+liveAt+joinBatches+
		" UNION ALL SELECT "+row.OpColumns+" FROM json_each(?4) p"+liveAt+joinBatches+
		" UNION ALL SELECT "+row.OpColumns+" FROM json_each(?4) p"+liveBelow+joinBatches, s.Org, s.Session,
		keys(exact), keys(under))
}

func (t readTx) ContestedOps(ctx context.Context, s ledger.SessionRef, under []crdt.Pointer) ([]crdt.Op, error) {
	_, tops := row.Covering(nil, under)
	return row.All(ctx, t.sql, row.ScanCRDTOp, "SELECT "+row.OpColumns+" FROM json_each(?3) p CROSS "+
		"JOIN ops o INDEXED BY ops_contested"+below+
		" AND o.contested <> 0"+joinBatches, s.Org, s.Session, keys(tops))
}

func (t readTx) OpsByDot(ctx context.Context, s ledger.SessionRef, dots []crdt.Dot) ([]ledger.Op, error) {
	return row.All(ctx, t.sql, row.ScanOp, "SELECT "+row.OpColumns+` FROM (SELECT DISTINCT value FROM json_each(?3)) dot
		CROSS JOIN batches b INDEXED BY batches_actor ON b.org = ?1 AND b.session_id = ?2 AND b.kind = 'changes'
			AND b.actor = dot.value ->> 'Actor' AND b.number = dot.value ->> 'Batch'
		CROSS JOIN ops o INDEXED BY ops_seq ON o.org = ?1 AND o.session_id = ?2 AND o.seq = b.seq
		AND o.idx = dot.value ->> 'Index'`,
		s.Org, s.Session, list(dots))
}

// What is live now is in an index of its own; what was live at an earlier entry is found among all
// operations.
const (
	liveNow = "SELECT " + row.OpColumns + " FROM ops o INDEXED BY ops_live" + joinBatches +
		" WHERE o.org = ?1 AND o.session_id = ?2 AND o.covered_seq = 0 AND ?3 = 0"
	everything = selectOps + ofSession + " AND ?3 = 0"
	liveThen   = selectOps + ofSession + " AND o.merged_seq <= ?3 AND (o.covered_seq = 0 OR o.covered_seq > ?3)"
)

func (t readTx) Inhabited(ctx context.Context, s ledger.SessionRef, paths []crdt.Pointer) ([]crdt.Pointer, error) {
	inhabited, err := row.All(ctx, t.sql, row.Text[string], `SELECT p.value FROM json_each(?3) p
		WHERE EXISTS (SELECT 1 FROM ops o INDEXED BY ops_live
		WHERE o.org = ?1 AND o.session_id = ?2 AND o.path > p.value || char(1) AND o.path < p.value || char(2)
		AND o.covered_seq = 0)`,
		s.Org, s.Session, keys(paths))
	return row.Pointers(inhabited), err
}

func (t readTx) EachLiveOp(
	ctx context.Context, s ledger.SessionRef, seq int64, top crdt.Pointer, fn func(crdt.Op) error,
) error {
	query := liveThen
	if seq == 0 {
		query = liveNow
	}
	return row.WalkOps(ctx, t.sql, s, seq, top, query, func(op ledger.Op) error { return fn(op.Op) })
}

func (t readTx) EachOp(ctx context.Context, s ledger.SessionRef, fn func(ledger.Op) error) error {
	return row.WalkOps(ctx, t.sql, s, 0, "", everything, fn)
}

// History reads the path itself in the order of its index, where a page costs a page, and what is
// below it apart, which costs all that is below.
func (t readTx) History(
	ctx context.Context, s ledger.SessionRef, path crdt.Pointer, p store.Page,
) ([]store.Keyed[ledger.Op], error) {
	seq, before, index, err := row.BeforeHistory(p)
	if err != nil {
		return nil, err
	}
	at, err := row.All(ctx, t.sql, row.ScanOp, selectOps+ofSession+` AND o.path = ?3 AND o.seq <= ?4 AND (o.seq,
		o.path, o.idx) < (?4, ?5, ?6)
		ORDER BY o.seq DESC, o.idx DESC LIMIT ?7`, s.Org, s.Session, path.Key(), seq, before, index, p.Limit)
	if err != nil {
		return nil, err
	}
	below, err := row.All(ctx, t.sql, row.ScanOp, selectOps+ofSession+` AND o.path > ?3 || char(1)
		AND o.path < ?3 || char(2)
		AND (+o.seq, o.path, o.idx) < (?4, ?5, ?6) ORDER BY +o.seq DESC, o.path DESC, o.idx DESC LIMIT ?7`,
		s.Org, s.Session, path.Key(), seq, before, index, p.Limit)
	return row.Keyed(row.MergeHistory(at, below, p.Limit), err, row.HistoryKey)
}

func (t readTx) ChangedPaths(
	ctx context.Context, s ledger.SessionRef, since, head int64, limit int,
) ([]crdt.Pointer, int64, error) {
	until, err := row.One(ctx, t.sql, row.Int, `SELECT coalesce((SELECT changed FROM (
			SELECT merged_seq AS changed FROM ops INDEXED BY ops_merged WHERE org = ?1 AND session_id = ?2
			AND merged_seq > ?3 AND merged_seq <= ?4
			UNION ALL SELECT covered_seq FROM ops INDEXED BY ops_covered WHERE org = ?1 AND session_id = ?2
			AND covered_seq > 0 AND covered_seq > ?3 AND covered_seq <= ?4
			UNION ALL SELECT noted_seq FROM ops INDEXED BY ops_noted WHERE org = ?1 AND session_id = ?2
			AND noted_seq > 0 AND noted_seq > ?3 AND noted_seq <= ?4)
		ORDER BY changed LIMIT 1 OFFSET ?5), ?4)`, s.Org, s.Session, since, head, limit-1)
	if err != nil {
		return nil, 0, err
	}
	changed, err := row.All(ctx, t.sql, row.Text[string], `SELECT path FROM ops INDEXED BY ops_merged WHERE org = ?1
		AND session_id = ?2 AND merged_seq > ?3 AND merged_seq <= ?4
		UNION SELECT path FROM ops INDEXED BY ops_covered WHERE org = ?1 AND session_id = ?2 AND covered_seq > 0
		AND covered_seq > ?3 AND covered_seq <= ?4
		UNION SELECT path FROM ops INDEXED BY ops_noted WHERE org = ?1 AND session_id = ?2 AND noted_seq > 0
		AND noted_seq > ?3 AND noted_seq <= ?4 ORDER BY 1`,
		s.Org, s.Session, since, until)
	return row.Pointers(changed), until, err
}

func (t readTx) OwnSweeps(
	ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, span crdt.Range, paths []crdt.Pointer,
) (map[crdt.Pointer]crdt.Dot, error) {
	return row.Sweeps(ctx, t.sql, actor, `SELECT o.path, b.number, o.idx FROM json_each(?6) p CROSS
		JOIN ops o ON o.org = ?1 AND o.session_id = ?2 AND o.path = p.value`+joinBatches+`
		WHERE b.actor = ?3 AND b.number BETWEEN ?4 AND ?5 AND o.kind IN ('set', 'remove', 'append') ORDER BY b.number,
		o.idx`,
		s.Org, s.Session, actor, span[0], span[1], keys(paths))
}

// ofActor finds an actor's operations through its batches.
const ofActor = `SELECT ` + row.OpColumns + ` FROM batches b CROSS JOIN ops o INDEXED BY ops_seq ON o.org = b.org
	AND o.session_id = b.session_id AND o.seq = b.seq
	WHERE b.org = ?1 AND b.session_id = ?2 AND b.kind = 'changes' AND b.actor = ?3 AND b.number BETWEEN ?4 AND ?5`

func (t readTx) OwnNames(
	ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, number int64,
) ([]crdt.Op, error) {
	return row.All(ctx, t.sql, row.ScanCRDTOp, ofActor+" AND o.kind IN ('resolve', 'correct')", s.Org, s.Session,
		actor, number+1, int64(1)<<62)
}

func (t readTx) OwnLive(
	ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, span crdt.Range,
) ([]crdt.Op, error) {
	return row.All(ctx, t.sql, row.ScanCRDTOp, ofActor+" AND o.covered_seq = 0", s.Org, s.Session, actor, span[0],
		span[1])
}

func (t writeTx) UpdateOps(ctx context.Context, s ledger.SessionRef, changes []store.OpChange) error {
	for _, c := range changes {
		err := row.Exec(ctx, t.sql, `UPDATE ops SET covered_seq = ?1, contested = ?2, noted_seq = max(noted_seq, ?3)
			WHERE org = ?4 AND session_id = ?5 AND path = ?6 AND seq = ?7 AND idx = ?8`, c.SupersededSeq, c.Contested,
			c.Noted, s.Org, s.Session, c.Path.Key(), c.Seq, c.Index)
		if err != nil {
			return err
		}
	}
	return nil
}
