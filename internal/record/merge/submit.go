package merge

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Submission is one POST of results. Everything but Session, Key and Changes may be missing, and the merge is still right.
type Submission struct {
	Session firemode.SessionID
	Key     string // Idempotency-Key
	// Scope is the space of Key: the same key in another scope names another request. "" means the
	// caller in this session. It is stored, so a caller must not change how it forms it.
	Scope   string
	Changes []crdt.Change
	Atomic  bool // apply all changes or none
	Meta    Meta
}

// Meta is what a client says about its batch.
type Meta struct {
	Client     string
	ClientType string
	BatchID    string
	PrevBatch  string
	Clock      crdt.Clock // the own entry is the number of this batch
	Trimmed    bool       // the clock had more than MaxClock entries
	CapturedAt time.Time
	SentAt     time.Time
	OnBehalfOf firemode.UserID // "" for the caller; whether the caller may do that is decided before Submit
}

// Receipt answers a submission.
type Receipt struct {
	Session     firemode.SessionID
	Status      string // "merged" or "late"
	Applied     int    // changes newly kept, superseded ones too
	Duplicates  int    // changes already known
	Results     []ChangeResult
	Clock       crdt.Clock
	Missing     crdt.Ranges
	Flags       []string
	Conflicts   []ledger.Conflict
	Checkpoint  string // signed note over the log, this batch included
	ProcessedAt time.Time
}

// Statuses of a receipt.
const (
	StatusMerged = "merged"
	StatusLate   = "late"
)

// ChangeResult says what became of one change.
type ChangeResult struct {
	Index    int
	Status   string // "applied", "duplicate", "superseded" or "rejected"
	Reason   string
	Conflict *ledger.Conflict // beside a rejected resolve: the conflict as it is now
}

// Statuses of a change.
const (
	changeApplied    = "applied"
	changeDuplicate  = "duplicate"
	changeSuperseded = "superseded"
	changeRejected   = "rejected"
)

// job is a submission on its way through the collector.
type job struct {
	place       *groupcommit.Ticket
	p           firemode.Principal
	user        firemode.UserID // whose results they are
	in          Submission
	actor       crdt.ActorID
	number      int64 // 0 for a client that does not count
	content     [sha256.Size]byte
	scope       string
	fingerprint []byte // a hash of what was asked, and then the batch id; see sameRequest

	receipt  Receipt
	replayed bool
	err      error
}

// Submit merges changes into a session. The receipt is durable when it is returned; replayed tells that it is the stored
// answer of an earlier request with the same key. Besides the errors of any write: CodeConflict with a FreshClientID for a
// forked client, CodeForbidden for another user's client id.
func (s *Service) Submit(ctx context.Context, in Submission) (r Receipt, replayed bool, err error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return r, false, err
	}
	start := s.Now()
	j, err := newJob(p, in)
	if err != nil {
		return r, false, err
	}
	j.place = s.line.Join()
	defer j.place.Leave()
	if err := s.collector.Do(ctx, j); err != nil {
		return r, false, err
	}
	if j.err == nil {
		s.Meter.Synced(ctx, in.Meta.ClientType, s.Now().Sub(start))
	}
	return j.receipt, j.replayed, j.err
}

func newJob(p firemode.Principal, in Submission) (*job, error) {
	m := in.Meta
	switch {
	case in.Key == "":
		return nil, firemode.Malformed("the header Idempotency-Key is required")
	case len(in.Changes) > crdt.MaxChanges:
		return nil, firemode.InvalidField("changes", "more than %d in one request", crdt.MaxChanges)
	case m.Client != "" && !firemode.ValidID(m.Client):
		return nil, firemode.InvalidField("_sync_meta.client_id", "an id is 1 to 64 characters of A-Z a-z 0-9 _ -")
	case len(m.BatchID) > maxBatchID, len(m.PrevBatch) > maxBatchID:
		return nil, firemode.InvalidField("_sync_meta.batch_id", "longer than %d bytes", maxBatchID)
	}
	j := &job{p: p, user: p.User, in: in, content: crdt.Content(in.Changes)}
	if m.OnBehalfOf != "" {
		j.user = m.OnBehalfOf
	}
	if m.Client != "" {
		j.number = m.Clock[crdt.ActorID(m.Client)]
	}
	j.actor = crdt.ActorID(m.Client)
	if j.number == 0 {
		j.actor = crdt.NaiveActor(m.Client, string(j.user))
	}
	j.scope = cmp.Or(in.Scope, strings.Join([]string{string(p.Org), string(p.User), string(in.Session)}, "|"))
	other := m.OnBehalfOf
	if other == p.User {
		other = "" // a manager's own work: their phone may say the same without it
	}
	fingerprint := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%x|%s|%t", m.Client, j.number, j.content, other, in.Atomic))
	j.fingerprint = append(fingerprint[:], m.BatchID...)
	return j, nil
}

const maxBatchID = 64

// groupTimeout bounds the transaction of one group.
const groupTimeout = 30 * time.Second

// runGroup merges jobs in one transaction.
func (s *Service) runGroup(ctx context.Context, jobs []*job) []error {
	for _, j := range jobs {
		j.place.Leave()
	}
	ctx, cancel := context.WithTimeout(ctx, groupTimeout)
	defer cancel()
	watch := firemode.StopwatchOf(ctx)
	err := s.store.Update(ctx, func(tx store.Tx) error {
		watch.Lap(firemode.StageQueue)
		defer watch.Lap(firemode.StageMerge)
		for _, j := range jobs {
			j.receipt, j.replayed, j.err = Receipt{}, false, nil
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
		// Also when the outcome of the commit is unknown: the stored answers tell a second run what the first one did.
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
			for _, j := range bySession[i] {
				j.err = firemode.NotFound("there is no session %s", id)
			}
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

// mergeSession merges the jobs of one session and returns what the audit log is to say of it.
func (s *Service) mergeSession(ctx context.Context, tx store.Tx, locked store.LockedSession, jobs []*job) ([]ledger.AuditEntry, error) {
	ctx, span := s.tracer.Start(ctx, "merge")
	defer span.End()
	if span.IsRecording() {
		changes := 0
		for _, j := range jobs {
			changes += len(j.in.Changes)
		}
		span.SetAttributes(attribute.Int("firemode.batches", len(jobs)), attribute.Int("firemode.changes", changes))
	}
	m := s.newMerging(ctx, tx, locked)
	err := m.run(jobs)
	return m.audits, err
}

// partition groups list by key, in order of key, and keeps the order within each.
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
