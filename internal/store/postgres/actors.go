package postgres

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store/row"
)

func (t readTx) Actors(ctx context.Context, s ledger.SessionRef, ids []crdt.ActorID) ([]ledger.Actor, error) {
	if ids == nil {
		return row.AllActors(ctx, t.sql, s)
	}
	return row.All(ctx, t.sql, row.ScanActor, lookUp("actors", row.ActorColumns, "id")+" ORDER BY id", s.Org,
		s.Session, row.Strings(ids))
}
