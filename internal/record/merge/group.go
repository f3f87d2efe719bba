package merge

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// maxGroup is the maximum number of submissions in one transaction.
const maxGroup = 256

// groupTimeout limits the transaction of one group.
const groupTimeout = 30 * time.Second

// runGroup merges jobs in one transaction, organisation by organisation and session by session.
func (s *Service) runGroup(ctx context.Context, jobs []*job) []error {
	for _, j := range jobs {
		j.ticket.Leave()
	}
	ctx, cancel := context.WithTimeout(ctx, groupTimeout)
	defer cancel()
	watch := firemode.StopwatchOf(ctx)
	err := store.UpdateResponses(ctx, s.store, func(tx store.Tx) error {
		watch.Lap(firemode.StageQueue)
		defer watch.Lap(firemode.StageMerge)
		for _, j := range jobs {
			j.receipt, j.err, j.claim.Replayed = Receipt{}, nil, false
		}
		for _, ofOrg := range partition(jobs, func(j *job) firemode.OrgID { return j.p.Org }) {
			if err := s.mergeOrg(ctx, tx, ofOrg[0].p.Org, ofOrg); err != nil {
				return err
			}
		}
		return nil
	})
	watch.Lap(firemode.StageCommit)
	if err != nil {
		// This holds even if the outcome of the commit is unknown: if it has happened, the retry
		// replays the stored responses.
		return groupcommit.Undone(len(jobs), err)
	}
	s.Meter.GroupCommitted(Queue, len(jobs))
	return groupcommit.All(len(jobs), nil)
}

func (s *Service) mergeOrg(ctx context.Context, tx store.Tx, org firemode.OrgID, jobs []*job) error {
	bySession := partition(jobs, func(j *job) firemode.SessionID { return j.in.Session })
	ids := make([]firemode.SessionID, len(bySession))
	for i, ofSession := range bySession {
		ids[i] = ofSession[0].in.Session
	}
	locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, org, ids)
	if err != nil {
		return err
	}
	var entries []ledger.AuditEntry
	for i, id := range ids {
		at := slices.IndexFunc(locked, func(l store.LockedSession) bool { return l.Session.ID == id })
		if at < 0 {
			failAll(bySession[i], firemode.NotFound("there is no session %s", id))
			continue
		}
		audits, err := s.mergeSession(ctx, tx, locked[at], bySession[i])
		if err != nil {
			return err
		}
		entries = append(entries, audits...)
	}
	return store.AppendAudit(ctx, tx, org, entries...)
}

// mergeSession merges the jobs of one session and returns the audit entries of what followed.
func (s *Service) mergeSession(
	ctx context.Context, tx store.Tx, locked store.LockedSession, jobs []*job,
) ([]ledger.AuditEntry, error) {
	ctx, span := s.tracer.Start(ctx, "merge")
	defer span.End()
	if span.IsRecording() {
		changes := 0
		for _, j := range jobs {
			changes += len(j.in.Changes)
		}
		span.SetAttributes(attribute.Int("firemode.batches", len(jobs)), attribute.Int("firemode.changes", changes))
	}
	m, err := s.newMerging(ctx, tx, locked)
	if err != nil {
		failAll(jobs, err) // the other sessions of the group are merged
		return nil, nil
	}
	err = m.run(ctx, jobs)
	return m.audits, err
}

func failAll(jobs []*job, err error) {
	for _, j := range jobs {
		j.err = err
	}
}

// partition groups list by key. The groups are ordered by key; the order within a group is that of
// list.
func partition[T any, K ~string](list []T, key func(T) K) [][]T {
	groups := map[K][]T{}
	var keys []K
	for _, item := range list {
		k := key(item)
		if groups[k] == nil {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], item)
	}
	slices.Sort(keys)
	parts := make([][]T, len(keys))
	for i, k := range keys {
		parts[i] = groups[k]
	}
	return parts
}
