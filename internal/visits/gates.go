package visits

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/view"
	"firemode/internal/store"
)

// Gate refuses to let a session be completed while something is missing. Features implement it for
// what they require of a visit. The gates of this package require complete items, settled conflicts
// and batches without gaps.
type Gate interface {
	// Refusals returns what is missing, none to let the session be completed. It reads from the
	// transaction that would complete the session. More than maxRefusals details are cut off.
	Refusals(ctx context.Context, tx store.ReadTx, c Completion) ([]firemode.Detail, error)
}

// Completion is a session that a caller wants to complete.
type Completion struct {
	Session    firemode.Session
	Head       ledger.Head
	AcceptGaps bool   // complete although batches of a client are missing
	Reason     string // for accepting the gaps
}

// maxRefusals bounds how many details a refusal to complete has.
const maxRefusals = 1000

// gates returns the gates of this package, which are asked before those of other features.
func gates() []Gate { return []Gate{itemGate{}, conflictGate{}, gapGate{}} }

// mayComplete returns a Conflict that lists what is missing, if a gate refuses.
func (s *Service) mayComplete(ctx context.Context, tx store.ReadTx, c Completion) error {
	var missing []firemode.Detail
	for _, g := range append(gates(), s.Gates...) {
		refusals, err := g.Refusals(ctx, tx, c)
		if err != nil {
			return err
		}
		missing = append(missing, refusals...)
	}
	if len(missing) == 0 {
		return nil
	}
	e := firemode.Conflict(
		"the session cannot be completed yet: %d of %d items are done, %d conflicts and %d gaps are open",
		c.Head.Done, c.Session.ItemCount, c.Head.Conflicts, c.Head.Gaps)
	e.Details = missing[:min(len(missing), maxRefusals)]
	return e
}

// itemGate requires a complete record of every item.
type itemGate struct{}

func (itemGate) Refusals(ctx context.Context, tx store.ReadTx, c Completion) (missing []firemode.Detail, err error) {
	if c.Head.Done == c.Session.ItemCount {
		return nil, nil
	}
	open := store.ItemFilter{
		States: []firemode.ItemState{firemode.ItemUntouched, firemode.ItemIncomplete, firemode.ItemDisputed},
	}
	page := store.Page{Limit: maxRefusals}
	items, err := store.As[store.ItemReader](tx).Items(ctx, c.Session.Org, c.Session.ID, open, page)
	for _, item := range items {
		reason := "untouched"
		if len(item.Row.Missing) > 0 {
			reason = strings.Join(item.Row.Missing, "; ")
		}
		missing = append(missing, firemode.Detail{Field: "items/" + string(item.Row.ID), Reason: reason})
	}
	return missing, err
}

// conflictGate requires every conflict to be settled.
type conflictGate struct{}

func (conflictGate) Refusals(
	ctx context.Context, tx store.ReadTx, c Completion,
) (missing []firemode.Detail, err error) {
	if c.Head.Conflicts == 0 {
		return nil, nil
	}
	err = view.EachConflict(ctx, tx, ledger.RefOf(c.Session), c.Head, func(conflict crdt.Conflict) error {
		if len(missing) == maxRefusals {
			return store.ErrStop
		}
		missing = append(missing, firemode.Detail{
			Field:  string(conflict.Path),
			Reason: fmt.Sprintf("%d readings are in dispute (%s)", len(conflict.Siblings), conflict.Kind),
		})
		return nil
	})
	if errors.Is(err, store.ErrStop) {
		err = nil
	}
	return missing, err
}

// gapGate requires every batch before the last of each client, or a reason to complete without
// them.
type gapGate struct{}

func (gapGate) Refusals(ctx context.Context, tx store.ReadTx, c Completion) (missing []firemode.Detail, err error) {
	if c.Head.Gaps == 0 || c.AcceptGaps && strings.TrimSpace(c.Reason) != "" {
		return nil, nil
	}
	actors, err := store.As[store.ActorReader](tx).Actors(ctx, ledger.RefOf(c.Session), nil)
	for _, a := range actors {
		if gaps := a.Held.Missing(); len(gaps) > 0 {
			missing = append(missing, firemode.Detail{
				Field: "clients/" + string(a.ID),
				Reason: fmt.Sprintf(
					"batches %v have not arrived; a manager may accept that with accept_gaps and a reason", gaps),
			})
		}
	}
	return missing, err
}
