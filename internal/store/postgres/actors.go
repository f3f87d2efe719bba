package postgres

import (
	"context"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store/row"
)

const selectActors = "SELECT " + row.ActorColumns + " FROM actors WHERE org = $1 AND session_id = $2"

func insertActor(otherwise string) string {
	return insertInto("actors", "org, session_id, "+row.ActorColumns) + " ON CONFLICT (org, session_id, id) DO " + otherwise
}

func (t readTx) Actors(ctx context.Context, s ledger.SessionRef, ids []crdt.ActorID) ([]ledger.Actor, error) {
	if ids == nil {
		return all(ctx, t, row.ScanActor, selectActors+" ORDER BY id", s.Org, s.Session)
	}
	return all(ctx, t, row.ScanActor, "SELECT "+row.ActorColumns+` FROM (SELECT DISTINCT unnest($3::text[]) AS asked) q
		CROSS JOIN LATERAL (SELECT * FROM actors WHERE org = $1 AND session_id = $2 AND id = q.asked OFFSET 0) a ORDER BY id`, s.Org, s.Session, row.Strings(ids))
}

func (t readTx) CountActors(ctx context.Context, s ledger.SessionRef, user firemode.UserID) (int, error) {
	n, err := one(ctx, t, scanInt, "SELECT count(*) FROM actors WHERE org = $1 AND session_id = $2 AND user_id = $3", s.Org, s.Session, user)
	return int(n), err
}

func (t writeTx) SaveActors(ctx context.Context, s ledger.SessionRef, actors []ledger.Actor) error {
	_, err := writeAll(ctx, t, row.Taken{}, insertActor(`UPDATE SET client_type = excluded.client_type, held = excluded.held,
		merged = excluded.merged, run_seq = excluded.run_seq, last_sync = excluded.last_sync`), actors, func(a ledger.Actor) ([]any, error) {
		values, err := row.ActorValues(a)
		return ofSession(s, values, err)
	})
	return err
}

func (t writeTx) BindActor(ctx context.Context, s ledger.SessionRef, a ledger.Actor) (ledger.Actor, error) {
	values, err := row.ActorValues(a)
	if err != nil {
		return a, t.fail(err)
	}
	if err := t.exec(ctx, insertActor("UPDATE SET parent = excluded.parent WHERE actors.parent = ''"), append([]any{s.Org, s.Session}, values...)...); err != nil {
		return a, err
	}
	return one(ctx, t.readTx, row.ScanActor, selectActors+" AND id = $3", s.Org, s.Session, a.ID)
}

func (t writeTx) Deliver(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, seq int64) error {
	return t.exec(ctx, "UPDATE actors SET delivered = $1 WHERE org = $2 AND session_id = $3 AND id = $4 AND delivered < $1",
		seq, s.Org, s.Session, actor)
}
