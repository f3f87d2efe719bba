// Package view shows what is recorded in a session: the merged document, what changed in it, its
// history, and proofs that a change is in the log.
//
// It promises that a document is of one moment, which its cursor names; that it is handed to a Sink
// as it is read, so that memory does not grow with the session; and that a delivery is durable
// before the call returns. A session that the caller may not see is not found. It does not know the
// API's types and merges nothing.
package view

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Service reads the records of sessions. It is safe for concurrent use.
type Service struct{ store store.Store }

// New returns a Service on s.
func New(s store.Store) *Service { return &Service{s} }

// snapshot is one session in one transaction, as the caller sees it.
type snapshot struct {
	tx   store.ReadTx
	ref  ledger.SessionRef
	head ledger.Head
}

// view runs fn on a session that p may see.
func (s *Service) view(
	ctx context.Context, p firemode.Principal, id firemode.SessionID, fn func(snapshot) error,
) error {
	return s.store.View(ctx, func(tx store.ReadTx) error {
		session, err := store.VisibleSession(ctx, tx, p, id)
		if err != nil {
			return err
		}
		ref := ledger.RefOf(session)
		head, err := store.As[store.HeadReader](tx).Head(ctx, ref)
		if err != nil {
			return err
		}
		return fn(snapshot{tx, ref, head})
	})
}
