package catalogue

import (
	"context"
	"errors"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// maxGroup is the greatest number of classifications in one commit.
const maxGroup = 512

// record commits a group: the stored responses are replayed, the new classifications are appended
// to the audit log of their organisations.
func (s *Service) record(ctx context.Context, group []*pending) []error {
	for _, one := range group {
		one.ticket.Leave()
	}
	var outcomes []error
	watch := firemode.StopwatchOf(ctx)
	err := store.UpdateResponses(ctx, s.store, func(tx store.Tx) (err error) {
		watch.Lap(firemode.StageQueue)
		defer watch.Lap(firemode.StageRecord)
		outcomes, err = recordIn(ctx, tx, group)
		return err
	})
	watch.Lap(firemode.StageCommit)
	switch {
	case err == nil:
		s.committed(Queue, len(group))
		return outcomes
	case errors.Is(err, store.ErrOutcomeUnknown), firemode.CodeOf(err) == firemode.CodeUnavailable:
		// No retry: without an Idempotency-Key it could append a second entry.
		return groupcommit.All(len(group), err)
	}
	return groupcommit.Undone(len(group), err)
}

// recordIn records a group in tx, and returns the outcome of each item.
func recordIn(ctx context.Context, tx store.Tx, group []*pending) ([]error, error) {
	claims := make([]*store.Idempotency, len(group))
	for i, one := range group {
		claims[i] = one.claim
		if one.claim != nil {
			one.claim.Replayed = false // as an earlier run may have left it
		}
	}
	responses, err := store.FindResponses(ctx, tx, claims...)
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(group))
	entries := map[firemode.OrgID][]ledger.AuditEntry{}
	for i, one := range group {
		var stored Answer
		found, err := responses.Replay(one.claim, &stored)
		switch {
		case err != nil:
			outcomes[i] = err
		case found:
			one.answer = stored
		case one.err != nil:
			outcomes[i] = one.err
		default:
			responses.AddEncoded(one.claim, one.encoded, tx.Now())
			entries[one.org] = append(entries[one.org], one.entry)
		}
	}
	if err := responses.Save(ctx, tx); err != nil {
		return nil, err
	}
	// In order of name, so that the groups of two nodes cannot wait for each other.
	for _, org := range slices.Sorted(maps.Keys(entries)) {
		if err := store.AppendAudit(ctx, tx, org, entries[org]...); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}
