package merge

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/record/crdt"
	"firemode/internal/store"
)

// Submission is one POST of results. Only Session, Key and Changes are required; without the rest
// the merge is still correct.
type Submission struct {
	Session firemode.SessionID
	Key     string // Idempotency-Key
	// Scope is the namespace of Key: the same key in another scope belongs to another request. ""
	// means the caller in this session. It is stored, so callers must always form it in the same
	// way.
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
	Clock      crdt.Clock // the client's own entry is the number of this batch
	Trimmed    bool       // the clock had more than MaxClock entries
	CapturedAt time.Time
	SentAt     time.Time
	OnBehalfOf firemode.UserID // "" for the caller; whether the caller may do that is decided before Submit
}

// maxBatchID is the maximum length of a batch id in bytes.
const maxBatchID = 64

// Submit merges changes into a session and returns when the receipt is durable. replayed reports
// that the receipt is the stored response to an earlier request with the same key. Besides the
// errors of any write it returns CodeConflict with a FreshClientID for a forked client, and
// CodeForbidden for the client id of another user.
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
	j.ticket = s.queue.Join()
	defer j.ticket.Leave()
	if err := s.collector.Do(ctx, j); err != nil {
		return r, false, err
	}
	if j.err == nil {
		s.Meter.Synced(ctx, in.Meta.ClientType, s.Now().Sub(start))
	}
	return j.receipt, j.claim.Replayed, j.err
}

// job is a submission in progress.
type job struct {
	ticket  *groupcommit.Ticket // nil when no queue was joined
	p       firemode.Principal
	user    firemode.UserID // the user whose results they are
	in      Submission
	actor   crdt.ActorID
	number  int64 // 0 for a client that does not number its batches
	content [sha256.Size]byte
	claim   *store.Idempotency

	// The outcome. err is a failure of this job alone.
	receipt Receipt
	err     error
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
	j := &job{
		p: p, user: cmp.Or(m.OnBehalfOf, p.User), in: in,
		actor: crdt.ActorID(m.Client), content: crdt.Content(in.Changes),
	}
	if m.Client != "" {
		j.number = m.Clock[crdt.ActorID(m.Client)]
	}
	if j.number == 0 {
		j.actor = crdt.NaiveActor(m.Client, string(j.user))
	}
	defaultScope := strings.Join([]string{string(p.Org), string(p.User), string(in.Session)}, "|")
	j.claim = &store.Idempotency{
		Scope: cmp.Or(in.Scope, defaultScope), Key: in.Key, Fingerprint: j.fingerprint(), Same: sameRequest,
	}
	return j, nil
}

// fingerprint returns a hash of what the submission asks for, followed by its batch id. It is
// stored: a change of it would refuse retries across an upgrade.
func (j *job) fingerprint() []byte {
	other := j.in.Meta.OnBehalfOf
	if other == j.p.User {
		other = "" // a manager's own work: their device may say the same without it
	}
	asked := fmt.Appendf(nil, "%s|%d|%x|%s|%t", j.in.Meta.Client, j.number, j.content, other, j.in.Atomic)
	hash := sha256.Sum256(asked)
	return append(hash[:], j.in.Meta.BatchID...)
}

// sameRequest compares two fingerprints. Batch ids are compared only if both requests carry one.
func sameRequest(stored, fingerprint []byte) bool {
	const size = sha256.Size
	if len(stored) < size || len(fingerprint) < size || !bytes.Equal(stored[:size], fingerprint[:size]) {
		return false
	}
	return len(stored) == size || len(fingerprint) == size || bytes.Equal(stored[size:], fingerprint[size:])
}

// replay takes the response that is stored or was added for the job's claim, and reports whether
// there is one. If it is that of another request, the job fails.
func (j *job) replay(r *store.Responses) (found bool) {
	found, j.err = r.Replay(j.claim, &j.receipt)
	return found
}

// posted returns the batch of a numbered job as crdt.Decide takes it.
func (j *job) posted() crdt.Posted {
	return crdt.Posted{
		Actor: j.actor, Number: j.number, ID: j.in.Meta.BatchID, PrevID: j.in.Meta.PrevBatch, Content: j.content,
	}
}

// changedPaths returns the paths of the changes that were parsed.
func changedPaths(changes []crdt.Change) []crdt.Pointer {
	var paths []crdt.Pointer
	for _, c := range changes {
		if c.Rejected == "" {
			paths = append(paths, c.Path)
		}
	}
	return paths
}
