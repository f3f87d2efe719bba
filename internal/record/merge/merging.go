package merge

import (
	"context"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// merging is the work on one locked session in one transaction. It reads what the jobs can touch
// (known, state), merges in memory, collects what is to be written (writes) and what items were
// touched (items), and writes it at the end. Only this struct's transaction may use it, and nothing
// of it outlives the transaction.
type merging struct {
	svc   *Service
	tx    store.Tx
	ports ports
	at    time.Time // time of the transaction; in a rebuild that of the transaction that is rebuilt

	session    firemode.Session
	ref        ledger.SessionRef
	derivation assess.Derivation // of the session's format
	head       ledger.Head       // as it will be saved
	before     int64             // number of the last entry before this transaction

	known  known
	state  *crdt.State // what is live, as far as it was read
	writes writes
	items  itemChanges

	done    []*job // jobs whose receipts are to be stored
	claimed map[claimKey]bool
	repeats []*job // jobs with the key of one of done

	audits       []ledger.AuditEntry
	newConflicts int
	readErr      error // of a read that could not return it; see chain
}

// claimKey identifies a request for idempotency.
type claimKey struct{ scope, key string }

func keyOf(c *store.Idempotency) claimKey { return claimKey{c.Scope, c.Key} }

// newMerging begins the work on a locked session. It fails if this binary does not know the
// session's format.
func (s *Service) newMerging(ctx context.Context, tx store.Tx, locked store.LockedSession) (*merging, error) {
	if err := assess.CheckFormat(locked.Session.Format); err != nil {
		return nil, fmt.Errorf("merge into session %s: %w", locked.Session.ID, err)
	}
	m := &merging{
		svc: s, tx: tx, ports: portsOf(tx), at: tx.Now(),
		session: locked.Session, ref: ledger.RefOf(locked.Session),
		derivation: assess.DerivationOf(locked.Session.Format),
		head:       locked.Head, before: locked.Head.Seq,
		known: newKnown(), writes: newWrites(), items: newItemChanges(locked.Head),
		claimed: map[claimKey]bool{},
	}
	m.resetState(ctx)
	return m, nil
}

// resetState drops the document as far as it was read. What was merged must be flushed first.
func (m *merging) resetState(ctx context.Context) {
	m.state = crdt.NewState(func(id crdt.ActorID) crdt.Ranges { return m.chain(ctx, id) })
	clear(m.known.ops)
	clear(m.known.assessable)
}

// chain returns the merged batches of an actor. The state calls it while it merges, for the actors
// of operations that were read. Most of them are never asked for, so an actor is read when it is
// first asked for. crdt is pure and its callback returns no error: the first error is kept in
// readErr, the result of the merge is then meaningless, and writeRecord fails the transaction.
func (m *merging) chain(ctx context.Context, id crdt.ActorID) crdt.Ranges {
	if _, known := m.known.actors[id]; !known {
		if err := m.readActors(ctx, map[crdt.ActorID]bool{id: true}); err != nil && m.readErr == nil {
			m.readErr = err
		}
	}
	if a := m.known.actors[id]; a != nil {
		return a.Merged
	}
	return nil
}

// run merges jobs in order and writes the outcome. A failure of one job is its err; an error of run
// fails the transaction.
func (m *merging) run(ctx context.Context, jobs []*job) error {
	visible, err := m.visible(ctx, jobs)
	if err != nil {
		return err
	}
	claims := make([]*store.Idempotency, len(visible))
	for i, j := range visible {
		claims[i] = j.claim
	}
	responses, err := store.FindResponses(ctx, m.tx, claims...)
	if err != nil {
		return err
	}
	var fresh []*job
	for _, j := range visible {
		if !j.replay(responses) {
			fresh = append(fresh, j)
		}
	}
	if err := m.readFor(ctx, fresh); err != nil {
		return err
	}
	for _, j := range fresh {
		if err := m.submit(ctx, j); err != nil {
			return err
		}
	}
	m.reportOutcomes()
	if err := m.finish(ctx); err != nil {
		return err
	}
	return m.saveReceipts(ctx, responses)
}

// visible returns the jobs whose caller may see the session, and fails the others.
func (m *merging) visible(ctx context.Context, jobs []*job) ([]*job, error) {
	var visible []*job
	for _, j := range jobs {
		err := store.MaySeeSession(ctx, m.tx, j.p, m.session)
		if err != nil && firemode.CodeOf(err) != firemode.CodeNotFound {
			return nil, err
		}
		if j.err = err; err == nil {
			visible = append(visible, j)
		}
	}
	return visible, nil
}

// finish signs and writes the record, if there is a new entry. There is none after replays,
// duplicates and refusals.
func (m *merging) finish(ctx context.Context) error {
	if m.head.Seq == m.before {
		return nil
	}
	var err error
	if m.head.Checkpoint, err = ledger.CheckpointOf(m.ref, m.head).Sign(m.svc.Signer); err != nil {
		return err
	}
	if err := m.writeRecord(ctx); err != nil {
		return err
	}
	for range m.newConflicts {
		m.tx.AfterCommit(func() { m.svc.Meter.ConflictArose(string(m.ref.Session)) })
	}
	return nil
}

// writeRecord writes the log, what follows from it, and the head.
func (m *merging) writeRecord(ctx context.Context) error {
	if err := m.flush(ctx); err != nil {
		return err
	}
	m.countGaps()
	if err := m.deriveItems(ctx); err != nil {
		return err
	}
	if m.readErr != nil {
		return m.readErr
	}
	if m.items.counted {
		m.head.Tallied = m.head.Seq
	}
	return m.ports.sessions.SaveHead(ctx, m.ref.Org, m.ref.Session, m.head)
}

// saveReceipts stores the receipts of this transaction under their keys. All carry the checkpoint
// of its end.
func (m *merging) saveReceipts(ctx context.Context, responses *store.Responses) error {
	for _, j := range m.done {
		j.receipt.Checkpoint = m.head.Checkpoint
		if err := responses.Add(j.claim, j.receipt, m.tx.Now()); err != nil {
			return err
		}
	}
	for _, j := range m.repeats {
		j.replay(responses)
	}
	return responses.Save(ctx, m.tx)
}
