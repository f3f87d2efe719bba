package merge

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// sameRequest compares two fingerprints. A batch id is part of what was asked where both requests carry one.
func sameRequest(a, b []byte) bool {
	const size = sha256.Size
	if len(a) < size || len(b) < size || !bytes.Equal(a[:size], b[:size]) {
		return false
	}
	return len(a) == size || len(b) == size || bytes.Equal(a[size:], b[size:])
}

// replay answers a job with what was stored for its key.
func (j *job) replay(a store.StoredResponse) {
	if !sameRequest(a.Fingerprint, j.fingerprint) {
		j.err = store.ErrKeyReused()
		return
	}
	if err := json.Unmarshal(a.Result, &j.receipt); err != nil {
		j.err = fmt.Errorf("stored answer: %w", err)
		return
	}
	j.replayed = true
}

// submit decides about one job and merges it. Its own failure is j.err, and leaves nothing behind.
func (m *merging) submit(j *job) error {
	if m.answered[j.scope+"\x00"+j.in.Key] != nil {
		m.following = append(m.following, j) // answered when that one is
		return nil
	}
	actor, err := m.actorFor(j)
	if err != nil || j.err != nil {
		return err
	}
	switch verdict, known := m.judge(j, actor); {
	case known != nil && j.number == 0 && !bytes.Equal(known.Content, j.content[:]):
		j.err = store.ErrKeyReused()
		return nil
	case verdict == crdt.Duplicate:
		m.acknowledge(j, actor, known)
	case verdict == crdt.Fork:
		return m.fork(j, actor)
	default:
		if err := m.apply(j, actor); err != nil || j.err != nil {
			return err
		}
	}
	m.remember(j)
	return nil
}

// again answers a job like another of the same group with the same key.
func (j *job) again(done *job) {
	if !sameRequest(done.fingerprint, j.fingerprint) {
		j.err = store.ErrKeyReused()
		return
	}
	j.receipt, j.err, j.replayed = done.receipt, done.err, done.err == nil
}

// actorFor returns the actor of a job, bound to its user. j.err is set if it is another's.
func (m *merging) actorFor(j *job) (*ledger.Actor, error) {
	for _, id := range []crdt.ActorID{crdt.ActorID(j.in.Meta.Client), crdt.NaiveActor(j.in.Meta.Client, string(j.user))} {
		if a := m.actors[id]; a != nil && a.User != j.user {
			j.err = firemode.Forbidden("the client id %s belongs to another user", j.in.Meta.Client)
			return nil, nil
		}
	}
	if actor := m.actors[j.actor]; actor != nil {
		return actor, nil
	}
	if j.in.Meta.OnBehalfOf != "" {
		if _, err := store.As[store.UserReader](m.tx).User(m.ctx, m.ref.Org, j.user); err != nil {
			j.err = firemode.NotFoundAs("_sync_meta.on_behalf_of", err)
			return nil, nil
		}
	}
	if _, counted := m.bound[j.user]; !counted {
		n, err := store.As[store.ActorReader](m.tx).CountActors(m.ctx, m.ref, j.user)
		if err != nil {
			return nil, err
		}
		m.bound[j.user] = n
	}
	if m.bound[j.user] >= ledger.MaxActors {
		j.err = firemode.InvalidField("_sync_meta.client_id", "you have %d clients in this session, which is the limit", ledger.MaxActors)
		return nil, nil
	}
	return &ledger.Actor{ID: j.actor, Client: j.in.Meta.Client, ClientType: j.in.Meta.ClientType, User: j.user}, nil
}

// judge returns the verdict on a job, and the stored batch that it repeats.
func (m *merging) judge(j *job, actor *ledger.Actor) (crdt.Admission, *ledger.Entry) {
	if j.number == 0 {
		if known := m.keyed[ledger.BatchKey{Actor: j.actor, Key: j.in.Key}]; known != nil {
			return crdt.Duplicate, known
		}
		return crdt.Admit, nil
	}
	same := m.held[ledger.BatchRef{Actor: j.actor, Number: j.number}]
	below := m.held[ledger.BatchRef{Actor: j.actor, Number: j.number - 1}]
	above := m.held[ledger.BatchRef{Actor: j.actor, Number: j.number + 1}]
	return crdt.Decide(m.posted(j), actor.Held, known(same), known(below), known(above)), same
}

func (m *merging) posted(j *job) crdt.Posted {
	return crdt.Posted{Actor: j.actor, Number: j.number, ID: j.in.Meta.BatchID, PrevID: j.in.Meta.PrevBatch, Content: j.content}
}

func known(b *ledger.Entry) *crdt.Known {
	if b == nil {
		return nil
	}
	return &crdt.Known{ID: b.ID, PrevID: b.PrevID, Content: [32]byte(b.Content)}
}

// acknowledge answers a batch that is in the log already. Nothing changes.
func (m *merging) acknowledge(j *job, actor *ledger.Actor, known *ledger.Entry) {
	m.begin(j, actor)
	if known.MergedSeq == 0 {
		j.receipt.Status = StatusLate
	}
	for i, outcome := range known.Outcomes {
		result := ChangeResult{Index: i, Status: changeDuplicate}
		if outcome.Status == changeRejected {
			result.Status, result.Reason = changeRejected, outcome.Reason
		} else {
			j.receipt.Duplicates++
		}
		j.receipt.Results = append(j.receipt.Results, result)
	}
	m.showConflicts(j)
}

// begin fills in what every receipt has.
func (m *merging) begin(j *job, actor *ledger.Actor) (clamped crdt.Clock) {
	clamped = crdt.Clock{}
	r := Receipt{Session: m.session.ID, Status: StatusMerged, Clock: crdt.Clock{}, Missing: actor.Held.Missing(), ProcessedAt: m.tx.Now()}
	if j.number > 0 {
		var cut bool
		clamped, cut = crdt.Clamp(j.in.Meta.Clock, j.actor, func(id crdt.ActorID) int64 { return m.deliveredRun(j.actor, id) })
		for id, n := range clamped {
			r.Clock[id] = n
		}
		r.Clock[j.actor] = j.number
		if cut {
			r.Flags = append(r.Flags, flagClamped)
		}
		if j.in.Meta.Trimmed {
			r.Flags = append(r.Flags, flagTrimmed)
		}
	}
	j.receipt = r
	return clamped
}

// fork keeps the batch of a cloned phone and tells it the id to go on under.
func (m *merging) fork(j *job, actor *ledger.Actor) error {
	fresh := crdt.FreshActor(m.head.Key, m.posted(j))
	_, err := store.As[store.ActorWriter](m.tx).BindActor(m.ctx, m.ref, ledger.Actor{
		ID: fresh, Client: string(fresh), ClientType: j.in.Meta.ClientType, User: j.user, Delivered: actor.Delivered, Parent: actor.ID,
	})
	if err != nil {
		return err
	}
	q := ledger.Quarantined{
		Actor: j.actor, Number: j.number, Content: j.content[:], ID: j.in.Meta.BatchID, PrevID: j.in.Meta.PrevBatch, Fresh: fresh,
		User: j.user, ReceivedAt: m.tx.Now(), Changes: ledger.ChangesText(j.in.Changes), Reason: "forked",
	}
	err = store.As[store.EntryWriter](m.tx).InsertQuarantined(m.ctx, m.ref, q.Seal(m.ref))
	why := "does not continue what is held of it"
	if j.number > actor.Held.Prefix()+crdt.MaxAhead {
		why = fmt.Sprintf("is more than %d ahead of what is held of it", crdt.MaxAhead)
	}
	conflict := firemode.Conflict("batch %d of %s %s, as after a copied or restored phone; "+
		"the batch was kept, send it again under the client id given", j.number, j.actor, why)
	conflict.FreshClientID = string(fresh)
	j.err = conflict
	return err
}

// showConflicts lists the conflicts that are open on the posted paths and above them.
func (m *merging) showConflicts(j *job) {
	var paths []crdt.Pointer
	seen := map[crdt.Pointer]bool{}
	for _, p := range changedPaths(j.in.Changes) {
		for _, q := range append(p.Ancestors(), p) {
			if !seen[q] {
				seen[q] = true
				paths = append(paths, q)
			}
		}
	}
	slices.Sort(paths)
	for _, p := range paths {
		if c, open := m.state.Conflict(p, m.head.Key); open {
			j.receipt.Conflicts = append(j.receipt.Conflicts, ledger.DescribeConflict(c, maxShownSiblings))
		}
	}
}

// remember has a job's receipt stored under its key at the end.
func (m *merging) remember(j *job) {
	m.answered[j.scope+"\x00"+j.in.Key] = j
	m.done = append(m.done, j)
}
