package store

import (
	"context"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// MergedRanges returns a function that finds the merged batches of an actor of the session.
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

// VisibleSession returns the session if p may see it, else CodeNotFound. A feature that shows what
// belongs to a session must call it, or MaySeeSession, first.
func VisibleSession(
	ctx context.Context, tx ReadTx, p firemode.Principal, id firemode.SessionID,
) (firemode.Session, error) {
	session, err := As[SessionReader](tx).Session(ctx, p.Org, id)
	if err != nil {
		return session, err
	}
	return session, MaySeeSession(ctx, tx, p, session)
}

// MaySeeSession returns CodeNotFound unless p may read what belongs to the session: an owner of its
// building may, a technician if the session is open to them, and every other role.
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
