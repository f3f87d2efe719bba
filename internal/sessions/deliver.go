package sessions

import (
	"context"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Deliver records durably that a client was given the document as of number seq by other means: in a bundle.
func (s *Service) Deliver(ctx context.Context, session firemode.SessionID, client string, seq int64) error {
	p, err := firemode.Caller(ctx)
	if err != nil || client == "" {
		return err
	}
	actor, err := s.bind(ctx, p, Query{Session: session, Client: client})
	if err != nil {
		return err
	}
	return s.deliver(ctx, p, session, *actor, seq)
}

// bind returns the actor of the client that a query names, binding it to the caller if it is new; nil for a query that names none.
func (s *Service) bind(ctx context.Context, p firemode.Principal, q Query) (*ledger.Actor, error) {
	if q.Client == "" {
		return nil, nil
	}
	if !firemode.ValidID(q.Client) {
		return nil, firemode.Malformed("the header X-Client-ID is not an id")
	}
	at := ledger.SessionRef{Org: p.Org, Session: q.Session}
	var actors []ledger.Actor
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := visible(ctx, tx, p, q.Session); err != nil {
			return err
		}
		var err error
		actors, err = store.As[store.ActorReader](tx).Actors(ctx, at, []crdt.ActorID{crdt.ActorID(q.Client), crdt.NaiveActor(q.Client, "")})
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, a := range actors {
		if a.User != p.User {
			return nil, firemode.Forbidden("the client id %s belongs to another user", q.Client)
		}
	}
	if i := slices.IndexFunc(actors, func(a ledger.Actor) bool { return a.ID == crdt.ActorID(q.Client) }); i >= 0 {
		return &actors[i], nil
	}
	return s.bindNew(ctx, p, at, q.Client)
}

func (s *Service) bindNew(ctx context.Context, p firemode.Principal, at ledger.SessionRef, client string) (*ledger.Actor, error) {
	var bound ledger.Actor
	err := s.store.Update(ctx, func(tx store.Tx) error {
		n, err := store.As[store.ActorReader](tx).CountActors(ctx, at, p.User)
		if err != nil {
			return err
		}
		if n >= maxActors {
			return firemode.InvalidField("X-Client-ID", "you have %d clients in this session, which is the limit", maxActors)
		}
		bound, err = store.As[store.ActorWriter](tx).BindActor(ctx, at, ledger.Actor{ID: crdt.ActorID(client), Client: client, User: p.User})
		if err == nil && bound.User != p.User {
			return firemode.Forbidden("the client id %s belongs to another user", client)
		}
		return err
	})
	return &bound, err
}

// deliver makes it durable that the document as of number seq is given to a client. What was delivered before costs nothing.
func (s *Service) deliver(ctx context.Context, p firemode.Principal, session firemode.SessionID, client ledger.Actor, seq int64) error {
	if seq <= client.Delivered {
		return nil
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		return store.As[store.ActorWriter](tx).Deliver(ctx, ledger.SessionRef{Org: p.Org, Session: session}, client.ID, seq)
	})
}
