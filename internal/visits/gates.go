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

// Gate keeps a session from being completed while something is missing. Features implement it for what they ask of
// a visit; those of this package ask for complete items, settled conflicts and batches without gaps.
type Gate interface {
	// Refusals returns what is missing, at most about maxRefusals details; none lets the session pass.
	Refusals(ctx context.Context, tx store.ReadTx, c Completion) ([]firemode.Detail, error)
}

// Completion is a session that is to be completed.
type Completion struct {
	Session    firemode.Session
	Head       ledger.Head
	AcceptGaps bool   // complete although batches of a client are missing
	Reason     string // of accepting them
}

// maxRefusals bounds how many details a refusal to complete has.
const maxRefusals = 1000

// gates are those that every session passes, before those of other features.
func gates() []Gate { return []Gate{itemGate{}, conflictGate{}, gapGate{}} }

// mayComplete refuses to complete a session while a gate does, and lists what is missing.
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
	e := firemode.Conflict("the session cannot be completed yet: %d of %d items are done, %d conflicts and %d gaps are open",
		c.Head.Done, c.Session.ItemCount, c.Head.Conflicts, c.Head.Gaps)
	e.Details = missing[:min(len(missing), maxRefusals)]
	return e
}

// itemGate asks for a complete record of every item.
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

// conflictGate asks for every conflict to be settled.
type conflictGate struct{}

func (conflictGate) Refusals(ctx context.Context, tx store.ReadTx, c Completion) (missing []firemode.Detail, err error) {
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

// gapGate asks for every batch before the last of each client, or for a reason to do without.
type gapGate struct{}

func (gapGate) Refusals(ctx context.Context, tx store.ReadTx, c Completion) (missing []firemode.Detail, err error) {
	if c.Head.Gaps == 0 || c.AcceptGaps && strings.TrimSpace(c.Reason) != "" {
		return nil, nil
	}
	actors, err := store.As[store.ActorReader](tx).Actors(ctx, ledger.RefOf(c.Session), nil)
	for _, a := range actors {
		if gaps := a.Held.Missing(); len(gaps) > 0 {
			missing = append(missing, firemode.Detail{
				Field:  "clients/" + string(a.ID),
				Reason: fmt.Sprintf("batches %v have not arrived; a manager may accept that with accept_gaps and a reason", gaps),
			})
		}
	}
	return missing, err
}
