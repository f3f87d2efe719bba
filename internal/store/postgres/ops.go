package postgres

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const (
	joinBatches = " JOIN batches b ON b.org = o.org AND b.session_id = o.session_id AND b.seq = o.seq"
	selectOps   = "SELECT " + row.OpColumns + " FROM ops o" + joinBatches + " WHERE o.org = $1 AND o.session_id = $2"
	selectWalk  = "SELECT " + row.OpColumns + " FROM ops o" + joinBatches + " WHERE o.org = ?1 AND o.session_id = ?2"
)

// Operations are looked up path by path, and batches one by one: LATERAL and OFFSET 0 keep the
// planner from joining the whole of a session instead; see ADR 16. Paths below p have keys between
// p's with \x01 and p's with \x02 behind it; see crdt.Pointer.Key.
const (
	opsOf      = " CROSS JOIN LATERAL (SELECT * FROM ops WHERE org = $1 AND session_id = $2 AND "
	batchOf    = " CROSS JOIN LATERAL (SELECT * FROM batches WHERE org = $1 AND session_id = $2 AND "
	liveOp     = opsOf + "covered_seq = 0"
	liveAt     = liveOp + " AND path = p.key OFFSET 0) o" + ofBatch
	below      = " AND path > p.key || chr(1) AND path < p.key || chr(2)"
	liveBelow  = liveOp + below + " OFFSET 0) o" + ofBatch
	ofBatch    = batchOf + "seq = o.seq OFFSET 0) b"
	exactPaths = " FROM (SELECT unnest($3::text[]) COLLATE \"C\" AS key) p"
	topPaths   = " FROM (SELECT unnest($4::text[]) COLLATE \"C\" AS key) p"
)

func (t readTx) LiveOps(ctx context.Context, s ledger.SessionRef, at, below []crdt.Pointer) ([]crdt.Op, error) {
	exact, under := row.Covering(at, below)
	return row.All(ctx, t.sql, row.ScanCRDTOp, "SELECT "+row.OpColumns+exactPaths+liveAt+
		" UNION ALL SELECT "+row.OpColumns+topPaths+liveAt+
		" UNION ALL SELECT "+row.OpColumns+topPaths+liveBelow, s.Org, s.Session, row.PathKeys(exact),
		row.PathKeys(under))
}

func (t readTx) ContestedOps(ctx context.Context, s ledger.SessionRef, tops []crdt.Pointer) ([]crdt.Op, error) {
	_, under := row.Covering(nil, tops)
	return row.All(ctx, t.sql, row.ScanCRDTOp, "SELECT "+row.OpColumns+exactPaths+liveOp+below+" "+
		"AND contested OFFSET 0) o"+ofBatch, s.Org, s.Session, row.PathKeys(under))
}

func (t readTx) OpsByDot(ctx context.Context, s ledger.SessionRef, dots []crdt.Dot) ([]ledger.Op, error) {
	actors, numbers := columns(dots, func(d crdt.Dot) string { return string(d.Actor) },
		func(d crdt.Dot) int64 { return d.Batch })
	indexes, _ := columns(dots, func(d crdt.Dot) int64 { return int64(d.Index) }, func(crdt.Dot) bool { return false })
	return row.All(ctx, t.sql, row.ScanOp, "SELECT "+row.OpColumns+" FROM (SELECT DISTINCT * "+
		"FROM unnest($3::text[], $4::bigint[], $5::bigint[]) d (who, n, i)) d"+
		batchOf+"kind = 'changes' AND actor = d.who AND number = d.n OFFSET 0) b"+opsOf+"seq = b.seq AND idx = d.i "+
		"OFFSET 0) o",
		s.Org, s.Session, actors, numbers, indexes)
}

// What is live now is in an index of its own; what was live at an earlier entry is found among all
// operations.
const (
	liveNow    = selectWalk + " AND o.covered_seq = 0 AND ?3::bigint = 0"
	everything = selectWalk + " AND ?3::bigint = 0"
	liveThen   = selectWalk + " AND o.merged_seq <= ?3 AND (o.covered_seq = 0 OR o.covered_seq > ?3)"
)

func (t readTx) Inhabited(ctx context.Context, s ledger.SessionRef, paths []crdt.Pointer) ([]crdt.Pointer, error) {
	inhabited, err := row.All(ctx, t.sql, row.Text[string], "SELECT p.key"+exactPaths+` CROSS JOIN LATERAL (SELECT 1
		FROM ops o
		WHERE o.org = $1 AND o.session_id = $2 AND o.path > p.key || chr(1) AND o.path < p.key || chr(2)
		AND o.covered_seq = 0 LIMIT 1) below`,
		s.Org, s.Session, row.PathKeys(paths))
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
	at, err := row.All(ctx, t.sql, row.ScanOp, selectOps+` AND o.path = $3 AND o.seq <= $4 AND (o.seq, o.path,
		o.idx) < ($4, $5, $6)
		ORDER BY o.seq DESC, o.idx DESC LIMIT $7`, s.Org, s.Session, path.Key(), seq, before, index, p.Limit)
	if err != nil {
		return nil, err
	}
	below, err := row.All(ctx, t.sql, row.ScanOp, selectOps+` AND o.path > $3 || chr(1) AND o.path < $3 || chr(2)
		AND (o.seq, o.path, o.idx) < ($4, $5, $6) ORDER BY o.seq DESC, o.path DESC, o.idx DESC LIMIT $7`,
		s.Org, s.Session, path.Key(), seq, before, index, p.Limit)
	return row.Keyed(row.MergeHistory(at, below, p.Limit), err, row.HistoryKey)
}

func (t readTx) ChangedPaths(
	ctx context.Context, s ledger.SessionRef, since, head int64, limit int,
) ([]crdt.Pointer, int64, error) {
	until, err := row.One(ctx, t.sql, row.Int, `SELECT coalesce((SELECT changed FROM (
			SELECT merged_seq AS changed FROM ops WHERE org = $1 AND session_id = $2 AND merged_seq > $3
			AND merged_seq <= $4
			UNION ALL SELECT covered_seq FROM ops WHERE org = $1 AND session_id = $2 AND covered_seq > $3
			AND covered_seq <= $4
			UNION ALL SELECT noted_seq FROM ops WHERE org = $1 AND session_id = $2 AND noted_seq > 0
			AND noted_seq > $3 AND noted_seq <= $4) c
		ORDER BY changed LIMIT 1 OFFSET $5), $4)`, s.Org, s.Session, since, head, limit-1)
	if err != nil {
		return nil, 0, err
	}
	changed, err := row.All(ctx, t.sql, row.Text[string], `SELECT path FROM ops WHERE org = $1 AND session_id = $2
		AND merged_seq > $3 AND merged_seq <= $4
		UNION SELECT path FROM ops WHERE org = $1 AND session_id = $2 AND covered_seq > $3 AND covered_seq <= $4
		UNION SELECT path FROM ops WHERE org = $1 AND session_id = $2 AND noted_seq > 0 AND noted_seq > $3
		AND noted_seq <= $4 ORDER BY 1`,
		s.Org, s.Session, since, until)
	return row.Pointers(changed), until, err
}

func (t readTx) OwnSweeps(
	ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, span crdt.Range, paths []crdt.Pointer,
) (map[crdt.Pointer]crdt.Dot, error) {
	return row.Sweeps(ctx, t.sql, actor, "SELECT o.path, b.number, o.idx "+
		"FROM (SELECT unnest($6::text[]) COLLATE \"C\" AS key) p"+
		opsOf+"path = p.key AND kind IN ('set', 'remove', 'append') OFFSET 0) o"+ofBatch+
		" WHERE b.actor = $3 AND b.number BETWEEN $4 AND $5 ORDER BY b.number, o.idx",
		s.Org, s.Session, actor, span[0], span[1], row.PathKeys(paths))
}

// ofActor finds an actor's operations through its batches.
const ofActor = "SELECT " + row.OpColumns + " FROM (SELECT * FROM batches WHERE org = $1 AND session_id = $2 " +
	"AND kind = 'changes' AND actor = $3" +
	" AND number BETWEEN $4 AND $5 OFFSET 0) b" + opsOf + "seq = b.seq OFFSET 0) o"

func (t readTx) OwnNames(
	ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, number int64,
) ([]crdt.Op, error) {
	return row.All(ctx, t.sql, row.ScanCRDTOp, ofActor+" WHERE o.kind IN ('resolve', 'correct')", s.Org, s.Session,
		actor, number+1, int64(1)<<62)
}

func (t readTx) OwnLive(
	ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, span crdt.Range,
) ([]crdt.Op, error) {
	return row.All(ctx, t.sql, row.ScanCRDTOp, ofActor+" WHERE o.covered_seq = 0", s.Org, s.Session, actor, span[0],
		span[1])
}

func (t writeTx) UpdateOps(ctx context.Context, s ledger.SessionRef, changes []store.OpChange) error {
	_, err := row.WriteAll(ctx, t.sql, row.Taken{}, `UPDATE ops SET covered_seq = $1, contested = $2,
		noted_seq = greatest(noted_seq, $8)
		WHERE org = $3 AND session_id = $4 AND path = $5 AND seq = $6 AND idx = $7`, changes,
		func(c store.OpChange) ([]any, error) {
			return []any{c.SupersededSeq, c.Contested, s.Org, s.Session, c.Path.Key(), c.Seq, c.Index, c.Noted}, nil
		})
	return err
}

// InsertOps adds the operations and counts them for the statistics.
func (t writeTx) InsertOps(ctx context.Context, s ledger.SessionRef, ops []ledger.Op) error {
	t.inserted(len(ops))
	return t.Writer.InsertOps(ctx, s, ops)
}
