package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store/row"
)

const (
	selectActors = "SELECT " + row.ActorColumns + " FROM actors WHERE org = ? AND session_id = ?"
	insertActor  = "INSERT INTO actors (org, session_id, " + row.ActorColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org, session_id, id) DO "
)

func (t readTx) Actors(ctx context.Context, s ledger.SessionRef, ids []crdt.ActorID) ([]ledger.Actor, error) {
	if ids == nil {
		return all(ctx, t, row.ScanActor, selectActors+" ORDER BY id", s.Org, s.Session)
	}
	return all(ctx, t, row.ScanActor, selectActors+" AND id IN (SELECT value FROM json_each(?)) ORDER BY id", s.Org, s.Session, array(ids))
}

func (t readTx) CountActors(ctx context.Context, s ledger.SessionRef, user firemode.UserID) (int, error) {
	n, err := one(ctx, t, scanInt, "SELECT count(*) FROM actors WHERE org = ? AND session_id = ? AND user_id = ?", s.Org, s.Session, user)
	return int(n), err
}

func (t writeTx) insertActor(ctx context.Context, s ledger.SessionRef, a ledger.Actor, otherwise string) error {
	values, err := row.ActorValues(a)
	if err != nil {
		return t.fail(err)
	}
	return t.exec(ctx, insertActor+otherwise, append([]any{s.Org, s.Session}, values...)...)
}

func (t writeTx) SaveActors(ctx context.Context, s ledger.SessionRef, actors []ledger.Actor) error {
	for _, a := range actors {
		err := t.insertActor(ctx, s, a, `UPDATE SET client_type = excluded.client_type, held = excluded.held, merged = excluded.merged,
			run_seq = excluded.run_seq, last_sync = excluded.last_sync`)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) BindActor(ctx context.Context, s ledger.SessionRef, a ledger.Actor) (ledger.Actor, error) {
	if err := t.insertActor(ctx, s, a, "UPDATE SET parent = excluded.parent WHERE actors.parent = ''"); err != nil {
		return a, err
	}
	return one(ctx, t.readTx, row.ScanActor, selectActors+" AND id = ?", s.Org, s.Session, a.ID)
}

func (t writeTx) Deliver(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, seq int64) error {
	return t.exec(ctx, "UPDATE actors SET delivered = ? WHERE org = ? AND session_id = ? AND id = ? AND delivered < ?",
		seq, s.Org, s.Session, actor, seq)
}
