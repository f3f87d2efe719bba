package row

import (
	"context"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// ActorColumns are those of table actors.
const ActorColumns = "id, client, client_type, user_id, held, merged, run_seq, delivered, parent, last_sync"

// ActorValues are in the order of ActorColumns.
func ActorValues(a ledger.Actor) ([]any, error) {
	var e encoder
	values := []any{
		a.ID, a.Client, a.ClientType, a.User, e.json(a.Held), e.json(a.Merged), a.PrefixSeq, a.Delivered,
		a.Parent, store.Micros(a.LastSync),
	}
	return values, e.err
}

// ScanActor reads ActorColumns.
func ScanActor(r Scanner) (a ledger.Actor, err error) {
	err = scan(r, "actors", &a.ID, &a.Client, &a.ClientType, &a.User, store.JSONColumn{Into: &a.Held},
		store.JSONColumn{Into: &a.Merged}, &a.PrefixSeq,
		&a.Delivered, &a.Parent, store.TimeColumn{Into: &a.LastSync})
	return a, err
}

// SelectActors selects ActorColumns of the actors of a session.
const SelectActors = "SELECT " + ActorColumns + " FROM actors WHERE org = ? AND session_id = ?"

// AllActors returns the actors of a session, by id.
func AllActors(ctx context.Context, sql Engine, s ledger.SessionRef) ([]ledger.Actor, error) {
	return All(ctx, sql, ScanActor, SelectActors+" ORDER BY id", s.Org, s.Session)
}

// CountActors implements store.ActorReader.
func (r Reader) CountActors(ctx context.Context, s ledger.SessionRef, user firemode.UserID) (int, error) {
	n, err := One(ctx, r.sql, Int, "SELECT count(*) FROM actors WHERE org = ? AND session_id = ? AND user_id = ?",
		s.Org, s.Session, user)
	return int(n), err
}

func insertActor(otherwise string) string {
	return InsertInto("actors", "org, session_id, "+ActorColumns) + " ON CONFLICT (org, session_id, id) DO " + otherwise
}

// SaveActors implements store.ActorWriter.
func (w Writer) SaveActors(ctx context.Context, s ledger.SessionRef, actors []ledger.Actor) error {
	query := insertActor(`UPDATE SET client_type = excluded.client_type, held = excluded.held, merged = excluded.merged,
		run_seq = excluded.run_seq, last_sync = excluded.last_sync`)
	_, err := WriteAll(ctx, w.sql, Taken{}, query, actors, func(a ledger.Actor) ([]any, error) {
		values, err := ActorValues(a)
		return ofSession(s, values), err
	})
	return err
}

// BindActor implements store.ActorWriter.
func (w Writer) BindActor(ctx context.Context, s ledger.SessionRef, a ledger.Actor) (ledger.Actor, error) {
	values, err := ActorValues(a)
	if err != nil {
		return a, w.sql.Fail(err)
	}
	query := insertActor("UPDATE SET parent = excluded.parent WHERE actors.parent = ''")
	if err := Exec(ctx, w.sql, query, ofSession(s, values)...); err != nil {
		return a, err
	}
	return One(ctx, w.sql, ScanActor, SelectActors+" AND id = ?", s.Org, s.Session, a.ID)
}

// Deliver implements store.ActorWriter.
func (w Writer) Deliver(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, seq int64) error {
	return Exec(ctx, w.sql, "UPDATE actors SET delivered = ?1 WHERE org = ?2 AND session_id = ?3 AND id = ?4 "+
		"AND delivered < ?1",
		seq, s.Org, s.Session, actor)
}
