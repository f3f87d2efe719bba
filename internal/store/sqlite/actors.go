package sqlite

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
	return row.All(ctx, t.sql, row.ScanActor, row.SelectActors+" AND id IN (SELECT value FROM json_each(?)) "+
		"ORDER BY id", s.Org, s.Session, array(ids))
}
