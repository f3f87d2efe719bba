package view

import (
	"context"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Deliver records durably that a client was given the document as of log entry seq in another way:
// in a bundle.
func (s *Service) Deliver(ctx context.Context, session firemode.SessionID, client string, seq int64) error {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return err
	}
	actor, err := s.bind(ctx, p, session, client)
	if err != nil || actor == nil {
		return err
	}
	return s.deliver(ctx, p, session, *actor, seq)
}

// deliver records that a client was given the document as of log entry seq. It writes nothing if
// that was recorded before.
func (s *Service) deliver(
	ctx context.Context, p firemode.Principal, session firemode.SessionID, client ledger.Actor, seq int64,
) error {
	if seq <= client.Delivered {
		return nil
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		return store.As[store.ActorWriter](tx).Deliver(ctx, ledger.SessionRef{Org: p.Org, Session: session}, client.ID, seq)
	})
}

// bind returns the actor of a client, bound to the caller from its first request on. For no client
// it returns nil.
func (s *Service) bind(
	ctx context.Context, p firemode.Principal, session firemode.SessionID, client string,
) (*ledger.Actor, error) {
	if client == "" {
		return nil, nil
	}
	if !firemode.ValidID(client) {
		return nil, firemode.Malformed("the header X-Client-ID is not an id")
	}
	ref := ledger.SessionRef{Org: p.Org, Session: session}
	id := crdt.ActorID(client)
	var actors []ledger.Actor
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := store.VisibleSession(ctx, tx, p, session); err != nil {
			return err
		}
		var err error
		actors, err = store.As[store.ActorReader](tx).Actors(ctx, ref, []crdt.ActorID{id, crdt.NaiveActor(client, "")})
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, a := range actors {
		if a.User != p.User {
			return nil, otherUser(client)
		}
	}
	if i := slices.IndexFunc(actors, func(a ledger.Actor) bool { return a.ID == id }); i >= 0 {
		return &actors[i], nil
	}
	return s.bindNew(ctx, ref, ledger.Actor{ID: id, Client: client, User: p.User})
}

// bindNew binds a client that is new to the session.
func (s *Service) bindNew(ctx context.Context, ref ledger.SessionRef, a ledger.Actor) (*ledger.Actor, error) {
	var bound ledger.Actor
	err := s.store.Update(ctx, func(tx store.Tx) error {
		n, err := store.As[store.ActorReader](tx).CountActors(ctx, ref, a.User)
		if err != nil {
			return err
		}
		if n >= ledger.MaxActors {
			return firemode.InvalidField(
				"X-Client-ID", "you have %d clients in this session, which is the limit", ledger.MaxActors)
		}
		bound, err = store.As[store.ActorWriter](tx).BindActor(ctx, ref, a)
		if err == nil && bound.User != a.User { // another user's request was first
			err = otherUser(a.Client)
		}
		return err
	})
	return &bound, err
}

func otherUser(client string) error {
	return firemode.Forbidden("the client id %s belongs to another user", client)
}
