package visits

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Detail is a session with what changes as results arrive. The Key of its Head is nil.
type Detail struct {
	firemode.Session
	Clock crdt.Clock
	Head  ledger.Head
}

// Tag identifies the state of a session: a hash over its clock and the version of its metadata.
func (d Detail) Tag() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %d", d.Org, d.ID, d.Version)
	for _, id := range slices.Sorted(maps.Keys(d.Clock)) {
		fmt.Fprintf(h, " %s=%d", id, d.Clock[id])
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15]) + `"`
}

// detail reads the rest of a Detail.
func detail(ctx context.Context, tx store.ReadTx, session firemode.Session) (Detail, error) {
	heads := store.As[store.HeadReader](tx)
	head, err := heads.Head(ctx, ledger.RefOf(session))
	if err != nil {
		return Detail{}, err
	}
	head.Key = nil // the session's secret
	clock, err := heads.ClockAt(ctx, ledger.RefOf(session), head.Seq)
	return Detail{Session: session, Clock: clock, Head: head}, err
}

// Get returns one session.
func (s *Service) Get(ctx context.Context, id firemode.SessionID) (d Detail, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return d, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := store.VisibleSession(ctx, tx, p, id)
		if err == nil {
			d, err = detail(ctx, tx, session)
		}
		return err
	})
	return d, err
}

// List returns the sessions that the caller may see, newest first.
func (s *Service) List(
	ctx context.Context, f store.SessionFilter, page store.Page,
) (list []store.Keyed[Detail], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	f.VisibleTo, f.OwnedBy = p.Limits()
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		rows, err := store.As[store.SessionReader](tx).Sessions(ctx, p.Org, f, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			d, err := detail(ctx, tx, row.Row)
			if err != nil {
				return err
			}
			list = append(list, store.Keyed[Detail]{Key: row.Key, Row: d})
		}
		return nil
	})
	return list, err
}

// Items lists the items of a session in walking order.
func (s *Service) Items(
	ctx context.Context, id firemode.SessionID, f store.ItemFilter, page store.Page,
) (list []store.Keyed[firemode.Item], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		if _, err := store.VisibleSession(ctx, tx, p, id); err != nil {
			return err
		}
		list, err = store.As[store.ItemReader](tx).Items(ctx, p.Org, id, f, page)
		return err
	})
	return list, err
}

// Sync is a session with its clients.
type Sync struct {
	Detail
	Actors []ledger.Actor
}

// SyncStatus returns a session with its head and clients. It delivers nothing to the caller.
func (s *Service) SyncStatus(ctx context.Context, id firemode.SessionID) (status Sync, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return status, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := store.VisibleSession(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if status.Detail, err = detail(ctx, tx, session); err != nil {
			return err
		}
		status.Actors, err = store.As[store.ActorReader](tx).Actors(ctx, ledger.RefOf(session), nil)
		return err
	})
	return status, err
}
