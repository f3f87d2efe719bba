package store

import (
	"context"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// MergedRanges returns the merged batches of every actor.
func MergedRanges(ctx context.Context, tx ReadTx, ref ledger.SessionRef) (func(crdt.ActorID) crdt.Ranges, error) {
	actors, err := As[ActorReader](tx).Actors(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	merged := make(map[crdt.ActorID]crdt.Ranges, len(actors))
	for _, a := range actors {
		merged[a.ID] = a.Merged
	}
	return func(id crdt.ActorID) crdt.Ranges { return merged[id] }, nil
}

// VisibleSession returns the session if p may see it.
func VisibleSession(
	ctx context.Context, tx ReadTx, p firemode.Principal, id firemode.SessionID,
) (firemode.Session, error) {
	session, err := As[SessionReader](tx).Session(ctx, p.Org, id)
	if err != nil {
		return session, err
	}
	return session, MaySeeSession(ctx, tx, p, session)
}

// MaySeeSession is nil if p may read what hangs from the session: an owner through the building, a
// technician if it is open to them.
func MaySeeSession(ctx context.Context, tx ReadTx, p firemode.Principal, session firemode.Session) error {
	if !session.OpenTo(p) {
		return firemode.NotFound("there is no session %s", session.ID)
	}
	if p.Role != firemode.RoleOwner {
		return nil
	}
	building, err := As[BuildingReader](tx).Building(ctx, p.Org, session.Building)
	if err == nil && !building.ReadableBy(p) {
		err = firemode.NotFound("there is no session %s", session.ID)
	}
	return err
}
