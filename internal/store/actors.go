package store

import (
	"context"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// ActorReader reads the actors of a session: those who have written to its log, or read its
// document.
type ActorReader interface {
	// Actors returns those of ids that exist, or all when ids is nil, by id.
	Actors(ctx context.Context, s ledger.SessionRef, ids []crdt.ActorID) ([]ledger.Actor, error)
	// CountActors returns how many actors are bound to user.
	CountActors(ctx context.Context, s ledger.SessionRef, user firemode.UserID) (int, error)
}

// ActorWriter writes the actors of a session.
type ActorWriter interface {
	// SaveActors adds actors, or writes ClientType, Held, Merged, PrefixSeq and LastSync of those
	// that exist. Delivered is written only when the actor is added. Callers hold the lock of
	// LockSessions.
	SaveActors(ctx context.Context, s ledger.SessionRef, actors []ledger.Actor) error
	// BindActor adds an actor unless it exists, and returns it as it is stored then. Of an actor
	// that exists it writes only Parent, and only if it has none: after a restore from backup, a
	// forked client may reconnect before the server has detected the fork again.
	BindActor(ctx context.Context, s ledger.SessionRef, a ledger.Actor) (ledger.Actor, error)
	// Deliver raises what was delivered to an actor to seq; it never lowers it, and does nothing
	// for an actor that does not exist.
	Deliver(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, seq int64) error
}
