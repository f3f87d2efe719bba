package sessions

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/crdt"
	"firemode/internal/ledger"
	"firemode/internal/store"
)

// Difference is something that does not follow from the log, or a log entry that is not what it was.
type Difference struct {
	Session firemode.SessionID
	Where   string // the table and what of it, such as "batches entry 7" or "ops /items/FE-001/outcome tablet-7:3:0"
	What    string
}

// Verification is what Verify needs beside the store.
type Verification struct {
	Key note.Verifier // of the checkpoints
	// Scratch opens an empty store with the newest schema, in which the log is replayed.
	Scratch func(context.Context) (store.Store, error)
	Report  func(Difference)
	// Audited is what the organisation's audit log says. Without it what people did with defects, and what a session was when it
	// was made, are not verified.
	Audited *Audited
}

// Verify recomputes everything about a session from its log, in a scratch store, and reports each difference. It returns an
// error only when it could not look. A row that cannot be read ends the verification of its session, and is a difference. Its cost
// is linear in the log.
func (s *Service) Verify(ctx context.Context, ref store.SessionRef, v Verification) (err error) {
	scratch, err := v.Scratch(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	return s.store.View(ctx, func(tx store.ReadTx) error {
		a := &auditor{
			ctx: store.Exactly(ctx), plain: ctx, svc: s, tx: tx, ref: ref, Verification: v,
			found: map[firemode.ItemID]firemode.LastResult{}, parents: map[crdt.ActorID]store.Quarantined{},
		}
		err := a.verify(scratch)
		var damage *store.Damage
		switch {
		case errors.Is(err, errNothing):
			return nil
		case errors.As(err, &damage):
			a.differs(damage.Table, "a row cannot be read, so the rest was not looked at: %v", damage.Err)
			return nil
		}
		return err
	})
}

// auditor verifies one session.
type auditor struct {
	Verification
	ctx     context.Context // of the call, as long as it lasts; what it reads must be exact
	plain   context.Context // the same, for what is no reading
	svc     *Service
	tx      store.ReadTx
	ref     store.SessionRef
	session firemode.Session
	head    firemode.Head

	seq      int64 // of the last entry
	entries  int64
	hash     []byte
	frontier ledger.Frontier
	status   firemode.SessionStatus
	reason   string
	finished time.Time                               // of the last completion, zero while the session is open
	found    map[firemode.ItemID]firemode.LastResult // of all completions
	parents  map[crdt.ActorID]store.Quarantined      // by the fresh actor
	pending  []defectChange                          // what people did with defects and is not replayed yet
}

func (a *auditor) verify(scratch store.Store) (err error) {
	if a.session, err = a.tx.Session(a.ctx, a.ref.Org, a.ref.Session); err != nil {
		return err
	}
	if a.head, err = a.tx.Head(a.ctx, a.ref); err != nil {
		return a.missing("session_heads", err)
	}
	if err := a.prepare(scratch); err != nil {
		return err
	}
	if err := a.replay(scratch); err != nil {
		return err
	}
	a.checkHead()
	a.checkSession()
	if err := a.checkQuarantine(); err != nil {
		return err
	}
	return scratch.View(a.ctx, func(again store.ReadTx) error { return a.compare(again) })
}

func (a *auditor) differs(where, format string, args ...any) {
	a.Report(Difference{Session: a.ref.Session, Where: where, What: fmt.Sprintf(format, args...)})
}

// errNothing ends the verification of a session of which nothing more can be said.
var errNothing = errors.New("nothing more can be verified")

// missing reports that what a table should lead to is not there.
func (a *auditor) missing(table string, err error) error {
	if firemode.CodeOf(err) != firemode.CodeNotFound {
		return err
	}
	a.differs(table, "%v, so the rest was not looked at", err)
	return errNothing
}

// prepare makes the session as it was before its first result.
func (a *auditor) prepare(scratch store.Store) error {
	building, err := a.tx.Building(a.plain, a.ref.Org, a.session.Building)
	if err != nil {
		return a.missing("sessions", err)
	}
	items, err := a.items()
	if err != nil {
		return err
	}
	a.checkCreation(items)
	a.status = firemode.SessionPending
	if a.Audited != nil {
		a.pending = a.Audited.changed[a.ref.Session]
	}
	for i := range items {
		items[i].State, items[i].Outcome, items[i].Missing = firemode.ItemUntouched, "", nil
	}
	session := a.session
	session.Technicians, session.Status, building.Owners = nil, firemode.SessionActive, nil
	return scratch.Update(a.ctx, func(tx store.Tx) error {
		if err := tx.CreateOrganisation(a.ctx, firemode.Organisation{ID: a.ref.Org, Name: string(a.ref.Org), CreatedAt: tx.Now()}); err != nil {
			return err
		}
		if err := tx.CreateBuilding(a.ctx, building); err != nil {
			return err
		}
		if err := tx.CreateSession(a.ctx, session, firemode.Head{Epoch: a.head.Epoch, Key: a.head.Key, ChangedAt: session.CreatedAt}); err != nil {
			return err
		}
		return tx.CreateItems(a.ctx, a.ref.Org, a.ref.Session, items)
	})
}

const itemsAtOnce = 1000

func (a *auditor) items() (all []firemode.Item, err error) {
	for after := ""; ; {
		rows, err := a.tx.Items(a.ctx, a.ref.Org, a.ref.Session, store.ItemFilter{}, store.Page{After: after, Limit: itemsAtOnce})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			all = append(all, r.Row)
		}
		if len(rows) < itemsAtOnce {
			return all, nil
		}
		after = rows[len(rows)-1].Key
	}
}

// replay checks each log entry and merges it again. It goes group by group, since one transaction for the whole log would hold
// all of it in memory.
func (a *auditor) replay(scratch store.Store) error {
	var group []store.Batch
	err := a.tx.EachBatch(a.ctx, a.ref, 1, func(b store.Batch) error {
		a.checkEntry(b)
		a.seq, a.hash = b.Seq, b.Hash
		a.frontier = a.frontier.Append(a.entries, b.Hash)
		a.entries++
		if len(group) > 0 && !together(group[0], b) {
			if err := a.replayGroup(scratch, group); err != nil {
				return err
			}
			group = nil
		}
		group = append(group, b)
		return nil
	})
	if err != nil {
		return err
	}
	if len(group) > 0 {
		if err := a.replayGroup(scratch, group); err != nil {
			return err
		}
	}
	return scratch.Update(a.ctx, func(tx store.Tx) error { return a.changeDefects(tx, math.MaxInt64) })
}

// together reports whether two neighbours in the log were merged in one transaction, whose time both carry. It matters, since what
// follows from the document was derived once for all of them: a defect was found by the earliest reading of its group.
func together(a, b store.Batch) bool {
	return a.Kind == store.EntryChanges && b.Kind == store.EntryChanges && a.ReceivedAt.Equal(b.ReceivedAt)
}

func (a *auditor) replayGroup(scratch store.Store, group []store.Batch) error {
	return scratch.Update(a.ctx, func(tx store.Tx) error {
		if err := a.changeDefects(tx, group[0].Seq); err != nil {
			return err
		}
		locked, err := tx.LockSessions(a.ctx, a.ref.Org, []firemode.SessionID{a.ref.Session})
		if err != nil {
			return err
		}
		m := a.svc.newMerging(a.ctx, tx, locked[0])
		for _, b := range group {
			if err := a.again(m, b); err != nil {
				return err
			}
		}
		return m.settle()
	})
}

// changeDefects does again what people did with defects before log entry seq.
func (a *auditor) changeDefects(tx store.Tx, seq int64) error {
	for len(a.pending) > 0 && a.pending[0].Seq < seq {
		change := a.pending[0]
		a.pending = a.pending[1:]
		d, err := tx.Defect(a.ctx, a.ref.Org, change.ID)
		if firemode.CodeOf(err) == firemode.CodeNotFound && err != nil {
			a.differs("defects "+string(change.ID), "the audit log says that it was changed, and it does not follow from the log")
			continue
		}
		if err != nil {
			return err
		}
		d.Status, d.Note = change.To, change.Note
		if err := tx.UpdateDefect(a.ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func entryName(seq int64) string { return fmt.Sprintf("batches entry %d", seq) }

func (a *auditor) checkEntry(b store.Batch) {
	where := entryName(b.Seq)
	if b.Seq != a.seq+1 {
		a.differs(where, "it comes after entry %d: entries are missing", a.seq)
	}
	if !bytes.Equal(b.Prev, a.hash) {
		a.differs(where, "it does not continue the chain: its previous hash is not that of the entry before")
	}
	if !b.Sealed(a.ref) {
		a.differs(where, "its hash is not that of its fields")
	}
	if b.Kind != store.EntryChanges {
		return
	}
	changes, err := storedChanges(b)
	if err != nil {
		a.differs(where, "its changes cannot be read: %v", err)
		return
	}
	if content := crdt.Content(changes); !bytes.Equal(content[:], b.Content) {
		a.differs(where, "its content is not that of its changes")
	}
	if len(changes) != len(b.Outcomes) {
		a.differs(where, "it has %d changes and %d outcomes", len(changes), len(b.Outcomes))
	}
}

// again puts an entry into the scratch store as it was decided then.
func (a *auditor) again(m *merging, stored store.Batch) error {
	b := stored
	b.MergedSeq, b.RunSeq = 0, 0
	var err error
	if b.Kind == store.EntryStatus {
		err = a.statusAgain(m, &b)
	} else {
		err = a.changesAgain(m, &b)
	}
	if err != nil {
		return fmt.Errorf("log entry %d: %w", b.Seq, err)
	}
	if len(stored.Outcomes) != len(b.Outcomes) {
		return nil // reported by checkEntry
	}
	for i, o := range b.Outcomes {
		if stored.MergedSeq == stored.Seq && o.Status != stored.Outcomes[i].Status {
			a.differs(entryName(b.Seq), "change %d was answered %q and comes out as %q", i, stored.Outcomes[i].Status, o.Status)
		}
	}
	b.Outcomes = stored.Outcomes
	for i := range m.newBatches {
		if m.newBatches[i].Seq == b.Seq {
			m.newBatches[i] = b
		}
	}
	m.head.Seq, m.head.Hash = b.Seq, b.Hash
	return nil
}

func (a *auditor) statusAgain(m *merging, b *store.Batch) error {
	var particulars struct {
		Status firemode.SessionStatus
		Reason string
	}
	if err := json.Unmarshal(b.Changes, &particulars); err != nil {
		a.differs(entryName(b.Seq), "it cannot be read: %v", err)
		return nil
	}
	m.session.Status = particulars.Status
	a.status, a.reason, a.finished = particulars.Status, cmp.Or(particulars.Reason, a.reason), time.Time{}
	b.MergedSeq = b.Seq
	m.newBatches = append(m.newBatches, *b)
	m.head.Seq = b.Seq
	if err := m.tx.UpdateSession(m.ctx, m.session); err != nil {
		return err
	}
	switch particulars.Status {
	case firemode.SessionReopened:
		return m.mergeLate()
	case firemode.SessionCompleted:
		m.session.CompletedAt, a.finished = b.ReceivedAt, b.ReceivedAt
		found, err := m.findings()
		maps.Copy(a.found, found)
		return err
	}
	return nil
}

func (a *auditor) changesAgain(m *merging, b *store.Batch) error {
	changes, err := storedChanges(*b)
	if err != nil || len(changes) != len(b.Outcomes) {
		return nil // reported by checkEntry
	}
	if a.status == firemode.SessionPending {
		a.status = firemode.SessionActive
	}
	if err := m.needActors(map[crdt.ActorID]bool{b.Actor: true}); err != nil {
		return err
	}
	actor := m.actors[b.Actor]
	if actor == nil {
		actor = &store.Actor{ID: b.Actor, Client: b.Client, User: b.User}
		m.actors[b.Actor] = actor
	}
	m.hold(actor, b.Number)
	actor.LastSync, actor.ClientType = b.ReceivedAt, b.ClientType
	m.head.Batches++
	b.Outcomes = append([]store.Outcome(nil), b.Outcomes...)
	for i := range b.Outcomes {
		if b.Outcomes[i].Status == changeSuperseded {
			b.Outcomes[i].Status = changeApplied // to be found out again
		}
	}
	if !m.session.Status.Open() {
		m.head.Late++
	} else {
		if err := m.loadPaths(changedPaths(changes)); err != nil {
			return err
		}
		if err := m.merge(b, changes, actor, b.Seq); err != nil {
			return err
		}
	}
	m.newBatches = append(m.newBatches, *b)
	return nil
}

// checkHead compares the head with where the log ends, and the checkpoint with the tree over it.
func (a *auditor) checkHead() {
	const where = "session_heads"
	if a.head.Seq != a.seq || !bytes.Equal(a.head.Hash, a.hash) {
		a.differs(where+" and batches", "the head says that the log ends at entry %d; it ends at %d, or with another hash", a.head.Seq, a.seq)
	}
	if !bytes.Equal(a.head.Frontier, a.frontier) {
		a.differs(where, "its frontier is not that of the tree over the log")
	}
	if a.seq == 0 {
		if a.head.Checkpoint != "" {
			a.differs(where, "it has a checkpoint of an empty log")
		}
		return
	}
	c, err := ledger.OpenCheckpoint(a.head.Checkpoint, a.Key)
	if err != nil {
		a.differs(where+" checkpoint", "%v", err)
		return
	}
	if c.Org != string(a.ref.Org) || c.Session != string(a.ref.Session) || c.Size != a.seq || !bytes.Equal(c.Root, a.frontier.Root()) || c.Epoch != a.head.Epoch {
		a.differs(where+" checkpoint", "it states another log than this one")
	}
}

// checkSession compares what the log says of the session's status with what is stored.
func (a *auditor) checkSession() {
	if a.session.Status != a.status || a.session.Reason != a.reason || !a.session.CompletedAt.Equal(a.finished) {
		a.differs("sessions", "it is stored as %s (%q, completed %s), and the log says %s (%q, completed %s)",
			a.session.Status, a.session.Reason, a.session.CompletedAt, a.status, a.reason, a.finished)
	}
}

// checkCreation compares the session and its items with what the audit log keeps of them as they were made.
func (a *auditor) checkCreation(items []firemode.Item) {
	if a.Audited == nil {
		return
	}
	e, there := a.Audited.created[a.ref.Session]
	if !there {
		a.differs("sessions", "the audit log does not say that it was made")
		return
	}
	var kept creation
	if err := json.Unmarshal(e.Data, &kept); err != nil {
		a.differs("audit entry "+string(e.ID), "it cannot be read: %v", err)
		return
	}
	now := creationOf(a.session, items)
	if now.Digest != kept.Digest {
		a.differs("items", "they are not those that the session was made with: their digest is another")
	}
	if now.Digest = kept.Digest; now != kept || e.User != a.session.CreatedBy || !e.At.Equal(a.session.CreatedAt) {
		a.differs("sessions", "it is stored as %+v by %s at %s, and was made as %+v by %s at %s", now, a.session.CreatedBy, a.session.CreatedAt, kept, e.User, e.At)
	}
}

// checkQuarantine checks each batch of a copied phone, and that the id it was given is the one that its session's secret gives.
func (a *auditor) checkQuarantine() error {
	return a.tx.EachQuarantined(a.ctx, a.ref, func(q store.Quarantined) error {
		a.parents[q.Fresh] = q
		where := "quarantine " + string(q.Fresh)
		if !q.Sealed(a.ref) {
			a.differs(where, "its hash is not that of its fields")
		}
		if len(q.Content) != len(crdt.Posted{}.Content) {
			return nil // its hash says so
		}
		p := crdt.Posted{Actor: q.Actor, Number: q.Number, ID: q.ID, PrevID: q.PrevID, Content: [32]byte(q.Content)}
		if crdt.FreshActor(a.head.Key, p) != q.Fresh {
			a.differs(where, "its id is not that which the session gives to this batch")
		}
		return nil
	})
}
