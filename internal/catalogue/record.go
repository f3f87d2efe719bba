package catalogue

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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

// record commits a group: one look at the stored answers, the new ones, and one append to the log of each organisation.
func (s *Service) record(ctx context.Context, group []*pending) []error {
	for _, one := range group {
		one.place.Leave()
	}
	outcomes := make([]error, len(group))
	watch := firemode.StopwatchOf(ctx)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		watch.Lap(firemode.StageQueue)
		defer watch.Lap(firemode.StageRecord)
		stored, err := storedAnswers(ctx, tx, group)
		if err != nil {
			return err
		}
		var fresh []*pending
		for i, one := range group {
			was, answered := stored[one.key()]
			switch {
			case answered:
				outcomes[i] = one.replay(was)
			case one.err != nil:
				outcomes[i] = one.err
			default:
				fresh = append(fresh, one)
			}
		}
		return write(ctx, tx, fresh)
	})
	watch.Lap(firemode.StageCommit)
	switch {
	case err == nil:
		s.grouped(Queue, len(group))
		return outcomes
	case errors.Is(err, store.ErrOutcomeUnknown), firemode.CodeOf(err) == firemode.CodeUnavailable:
		return groupcommit.All(len(group), err)
	case firemode.CodeOf(err) == firemode.CodeConflict && len(group) == 1 && group[0].claim != nil:
		return s.lostRace(ctx, group[0], err)
	}
	return groupcommit.Undone(len(group), err)
}

// lostRace looks again after another node has answered the same key between our look and our write: its answer is the answer.
func (s *Service) lostRace(ctx context.Context, one *pending, conflict error) []error {
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		stored, err := storedAnswers(ctx, tx, []*pending{one})
		if err != nil {
			return err
		}
		was, answered := stored[one.key()]
		if !answered {
			return conflict
		}
		return one.replay(was)
	})
	return []error{err}
}

func write(ctx context.Context, tx store.Tx, fresh []*pending) error {
	var answers []store.StoredResponse
	entries := map[firemode.OrgID][]ledger.AuditEntry{}
	for _, one := range fresh {
		if one.claim != nil {
			answers = append(answers, store.StoredResponse{
				Scope: one.claim.Scope, Key: one.claim.Key, Fingerprint: one.claim.Fingerprint, Result: one.result, CreatedAt: tx.Now(),
			})
		}
		entries[one.org] = append(entries[one.org], one.entry)
	}
	if len(answers) > 0 {
		slices.SortFunc(answers, func(a, b store.StoredResponse) int {
			return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Key, b.Key))
		})
		if err := store.As[store.ResponseWriter](tx).SaveResponses(ctx, answers); err != nil {
			return err
		}
	}
	// In order of name, so that the groups of two nodes cannot wait for each other.
	for _, org := range slices.Sorted(maps.Keys(entries)) {
		if err := store.AppendAudit(ctx, tx, org, entries[org]...); err != nil {
			return err
		}
	}
	return nil
}

type answerKey struct{ scope, key string }

func (one *pending) key() answerKey {
	if one.claim == nil {
		return answerKey{}
	}
	return answerKey{one.claim.Scope, one.claim.Key}
}

func storedAnswers(ctx context.Context, tx store.ReadTx, group []*pending) (map[answerKey]store.StoredResponse, error) {
	var asked []store.StoredResponse
	for _, one := range group {
		if one.claim != nil {
			asked = append(asked, store.StoredResponse{Scope: one.claim.Scope, Key: one.claim.Key})
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	found, err := store.As[store.ResponseReader](tx).Responses(ctx, asked)
	if err != nil {
		return nil, err
	}
	stored := make(map[answerKey]store.StoredResponse, len(found))
	for _, a := range found {
		stored[answerKey{a.Scope, a.Key}] = a
	}
	return stored, nil
}

// replay takes over the stored answer, if it is that of the same request.
func (one *pending) replay(was store.StoredResponse) error {
	if !bytes.Equal(was.Fingerprint, one.claim.Fingerprint) {
		return store.ErrKeyReused()
	}
	one.stored = new(Answer)
	return json.Unmarshal(was.Result, one.stored)
}
