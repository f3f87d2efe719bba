package view

import (
	"context"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// History lists every change at a path and below it, newest first.
func (s *Service) History(
	ctx context.Context, id firemode.SessionID, path crdt.Pointer, page store.Page,
) (list []store.Keyed[ledger.Op], err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	err = s.view(ctx, p, id, func(at snapshot) error {
		list, err = store.As[store.OpReader](at.tx).History(ctx, at.ref, path, page)
		return err
	})
	return list, err
}
