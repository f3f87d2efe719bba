package merge

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// submit decides what to do with one job, and does it. A failure of the job is its err: then
// nothing of it remains, except the quarantined batch of a fork. An error that submit returns fails
// the transaction.
func (m *merging) submit(ctx context.Context, j *job) error {
	if m.claimed[keyOf(j.claim)] {
		m.repeats = append(m.repeats, j) // its receipt is not complete before the end
		return nil
	}
	actor, err := m.actorFor(ctx, j)
	if err != nil || j.err != nil {
		return err
	}
	switch admission, stored := m.admission(j, actor); {
	case stored != nil && j.number == 0 && !bytes.Equal(stored.Content, j.content[:]):
		j.err = store.ErrKeyReused()
		return nil
	case admission == crdt.Duplicate:
		m.acknowledge(j, actor, stored)
	case admission == crdt.Fork:
		return m.fork(ctx, j, actor)
	default:
		if err := m.appendBatch(ctx, j, actor); err != nil || j.err != nil {
			return err
		}
	}
	m.claimed[keyOf(j.claim)] = true
	m.done = append(m.done, j)
	return nil
}

// actorFor returns the actor of a job, bound to its user: a new one if the client is new. It sets
// j.err if the client id belongs to another user, the user does not exist, or the user has too many
// clients.
func (m *merging) actorFor(ctx context.Context, j *job) (*ledger.Actor, error) {
	client := j.in.Meta.Client
	for _, id := range []crdt.ActorID{crdt.ActorID(client), crdt.NaiveActor(client, string(j.user))} {
		if a := m.known.actors[id]; a != nil && a.User != j.user {
			j.err = firemode.Forbidden("the client id %s belongs to another user", client)
			return nil, nil
		}
	}
	if actor := m.known.actors[j.actor]; actor != nil {
		return actor, nil
	}
	if j.in.Meta.OnBehalfOf != "" {
		if _, err := m.ports.users.User(ctx, m.ref.Org, j.user); err != nil {
			j.err = firemode.NotFoundAs("_sync_meta.on_behalf_of", err)
			return nil, nil
		}
	}
	if _, counted := m.known.actorCounts[j.user]; !counted {
		n, err := m.ports.actors.CountActors(ctx, m.ref, j.user)
		if err != nil {
			return nil, err
		}
		m.known.actorCounts[j.user] = n
	}
	if m.known.actorCounts[j.user] >= ledger.MaxActors {
		j.err = firemode.InvalidField("_sync_meta.client_id",
			"you have %d clients in this session, which is the limit", ledger.MaxActors)
		return nil, nil
	}
	return &ledger.Actor{ID: j.actor, Client: client, ClientType: j.in.Meta.ClientType, User: j.user}, nil
}

// admission returns what to do with a job, and the stored entry of the same batch, if there is one.
// A batch without a number is recognised by its Idempotency-Key.
func (m *merging) admission(j *job, actor *ledger.Actor) (crdt.Admission, *ledger.Entry) {
	if j.number == 0 {
		if stored := m.known.byKey[ledger.BatchKey{Actor: j.actor, Key: j.in.Key}]; stored != nil {
			return crdt.Duplicate, stored
		}
		return crdt.Admit, nil
	}
	same := m.known.byNumber[ledger.BatchRef{Actor: j.actor, Number: j.number}]
	below := m.known.byNumber[ledger.BatchRef{Actor: j.actor, Number: j.number - 1}]
	above := m.known.byNumber[ledger.BatchRef{Actor: j.actor, Number: j.number + 1}]
	return crdt.Decide(j.posted(), actor.Held, knownBatch(same), knownBatch(below), knownBatch(above)), same
}

func knownBatch(e *ledger.Entry) *crdt.Known {
	if e == nil {
		return nil
	}
	return &crdt.Known{ID: e.ID, PrevID: e.PrevID, Content: [32]byte(e.Content)}
}

// fork keeps the batch of a copied device in quarantine. The job's error carries the client id to
// continue under.
func (m *merging) fork(ctx context.Context, j *job, actor *ledger.Actor) error {
	meta := j.in.Meta
	fresh := crdt.FreshActor(m.head.Key, j.posted())
	_, err := m.ports.actorWriter.BindActor(ctx, m.ref, ledger.Actor{
		ID: fresh, Client: string(fresh), ClientType: meta.ClientType, User: j.user,
		Delivered: actor.Delivered, Parent: actor.ID,
	})
	if err != nil {
		return err
	}
	q := ledger.Quarantined{
		Actor: j.actor, Number: j.number, Content: j.content[:], ID: meta.BatchID, PrevID: meta.PrevBatch, Fresh: fresh,
		User: j.user, ReceivedAt: m.tx.Now(), Changes: ledger.ChangesText(j.in.Changes), Reason: "forked",
	}
	err = m.ports.entryWriter.InsertQuarantined(ctx, m.ref, q.Seal(m.ref))
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

// appendBatch appends a new batch to the log. While the session is open it also merges the batch
// into the document. Nothing changes before the batch has been checked.
func (m *merging) appendBatch(ctx context.Context, j *job, actor *ledger.Actor) error {
	foreign := m.beginReceipt(j, actor)
	if err := m.inheritContext(ctx, j, actor, foreign); err != nil {
		return err
	}
	problems, err := m.problemsOf(ctx, j)
	if err != nil {
		return err
	}
	if j.in.Atomic && slices.ContainsFunc(problems, func(p problem) bool { return p.reason != "" }) {
		j.err = refuseBatch(problems)
		return nil
	}
	e := m.newEntry(j, actor, foreign, problems)
	m.holdBatch(actor, e.Number)
	actor.LastSync, actor.ClientType = m.tx.Now(), j.in.Meta.ClientType
	if m.known.actors[actor.ID] == nil {
		m.known.actors[actor.ID] = actor
		m.known.actorCounts[actor.User]++
	}
	if m.session.Status.Open() {
		if err := m.mergeBatch(ctx, &e, j.in.Changes, actor, e.Seq); err != nil {
			return err
		}
	} else {
		m.head.Late++
		j.receipt.Status = StatusLate
	}
	m.head.Batches++
	m.appendEntry(&e)
	m.known.byNumber[ledger.BatchRef{Actor: e.Actor, Number: e.Number}] = &e
	if e.Key != "" {
		m.known.byKey[ledger.BatchKey{Actor: e.Actor, Key: e.Key}] = &e
	}
	j.addResults(e, actor, problems)
	m.showConflicts(j)
	return m.activate(ctx)
}

// inheritContext extends the context of the first batch of a fresh client by what its device had
// written before it forked: the batch that it names as its predecessor, if that is in the
// contiguous prefix of the parent, and those before it.
func (m *merging) inheritContext(ctx context.Context, j *job, actor *ledger.Actor, foreign crdt.Clock) error {
	parent := m.known.actors[actor.Parent]
	if actor.Parent == "" || parent == nil || j.number != 1 || j.in.Meta.PrevBatch == "" {
		return nil
	}
	before, err := m.ports.entries.EntryByBatchID(ctx, m.ref, parent.ID, j.in.Meta.PrevBatch)
	switch {
	case err != nil && firemode.CodeOf(err) == firemode.CodeNotFound:
		return nil
	case err != nil:
		return err
	}
	if before.Number <= parent.Merged.Prefix() {
		foreign[parent.ID] = max(foreign[parent.ID], before.Number)
	}
	return nil
}

// activate makes a pending session active.
func (m *merging) activate(ctx context.Context) error {
	if m.session.Status != firemode.SessionPending {
		return nil
	}
	m.session.Status = firemode.SessionActive
	if err := m.ports.sessions.UpdateSession(ctx, m.session); err != nil {
		return err
	}
	m.session.Version++
	return nil
}
