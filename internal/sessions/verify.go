package sessions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/crdt"
	"firemode/internal/ledger"
	"firemode/internal/store"
)

// Difference is something that does not follow from the log, or a log entry that is not what it was.
type Difference struct {
	Session firemode.SessionID
	Where   string // the table and what of it, such as "log entry 7" or "ops /items/FE-001/outcome tablet-7:3:0"
	What    string
}

// Verification is what Verify needs beside the store.
type Verification struct {
	Key note.Verifier // of the checkpoints
	// Scratch opens an empty store with the newest schema, in which the log is replayed.
	Scratch func(context.Context) (store.Store, error)
	Report  func(Difference)
}

// Verify recomputes everything about a session from its log, in a scratch store, and reports each difference. It returns an
// error only when it could not look. Its cost is linear in the log.
func (s *Service) Verify(ctx context.Context, ref store.SessionRef, v Verification) (err error) {
	scratch, err := v.Scratch(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	return s.store.View(ctx, func(tx store.ReadTx) error {
		a := &auditor{ctx: ctx, svc: s, tx: tx, ref: ref, Verification: v}
		if a.session, err = tx.Session(ctx, ref.Org, ref.Session); err != nil {
			return err
		}
		if a.head, err = tx.Head(ctx, ref); err != nil {
			return err
		}
		if err := a.prepare(scratch); err != nil {
			return err
		}
		if err := a.replay(scratch); err != nil {
			return err
		}
		a.checkHead()
		if err := a.checkQuarantine(); err != nil {
			return err
		}
		return scratch.View(ctx, func(again store.ReadTx) error { return a.compare(again) })
	})
}

// auditor verifies one session.
type auditor struct {
	Verification
	ctx     context.Context // of the call, as long as it lasts
	svc     *Service
	tx      store.ReadTx
	ref     store.SessionRef
	session firemode.Session
	head    firemode.Head

	seq      int64
	hash     []byte
	frontier ledger.Frontier
	found    map[firemode.ItemID]firemode.LastResult // of the last completion
}

func (a *auditor) differs(where, format string, args ...any) {
	a.Report(Difference{Session: a.ref.Session, Where: where, What: fmt.Sprintf(format, args...)})
}

// prepare makes the session as it was before its first result.
func (a *auditor) prepare(scratch store.Store) error {
	building, err := a.tx.Building(a.ctx, a.ref.Org, a.session.Building)
	if err != nil {
		return err
	}
	items, err := a.items()
	if err != nil {
		return err
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
		a.frontier = a.frontier.Append(b.Seq-1, b.Hash)
		if len(group) > 0 && !together(group[0], b) {
			if err := a.replayGroup(scratch, group); err != nil {
				return err
			}
			group = group[:0]
		}
		group = append(group, b)
		return nil
	})
	if err != nil || len(group) == 0 {
		return err
	}
	return a.replayGroup(scratch, group)
}

// together reports whether two neighbours in the log were merged in one transaction, whose time both carry. It matters, since what
// follows from the document was derived once for all of them: a defect was found by the earliest reading of its group.
func together(a, b store.Batch) bool {
	return a.Kind == store.EntryChanges && b.Kind == store.EntryChanges && a.ReceivedAt.Equal(b.ReceivedAt)
}

func (a *auditor) replayGroup(scratch store.Store, group []store.Batch) error {
	return scratch.Update(a.ctx, func(tx store.Tx) error {
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

func (a *auditor) checkEntry(b store.Batch) {
	where := fmt.Sprintf("log entry %d", b.Seq)
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
	for i, o := range b.Outcomes {
		if stored.MergedSeq == stored.Seq && o.Status != stored.Outcomes[i].Status {
			a.differs(fmt.Sprintf("log entry %d", b.Seq), "change %d was answered %q and comes out as %q", i, stored.Outcomes[i].Status, o.Status)
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
	var particulars struct{ Status firemode.SessionStatus }
	if err := json.Unmarshal(b.Changes, &particulars); err != nil {
		return err
	}
	m.session.Status = particulars.Status
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
		m.session.CompletedAt = b.ReceivedAt
		var err error
		a.found, err = m.findings()
		return err
	}
	return nil
}

func (a *auditor) changesAgain(m *merging, b *store.Batch) error {
	changes, err := storedChanges(*b)
	if err != nil {
		return nil // reported by checkEntry
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
	const where = "session head"
	if a.head.Seq != a.seq || !bytes.Equal(a.head.Hash, a.hash) {
		a.differs(where, "it says that the log ends at entry %d; it ends at %d, or with another hash", a.head.Seq, a.seq)
	}
	if !bytes.Equal(a.head.Frontier, a.frontier) {
		a.differs(where, "its frontier is not that of the tree over the log")
	}
	if a.seq == 0 {
		return
	}
	c, err := ledger.OpenCheckpoint(a.head.Checkpoint, a.Key)
	if err != nil {
		a.differs("checkpoint", "%v", err)
		return
	}
	if c.Org != string(a.ref.Org) || c.Session != string(a.ref.Session) || c.Size != a.seq || !bytes.Equal(c.Root, a.frontier.Root()) || c.Epoch != a.head.Epoch {
		a.differs("checkpoint", "it states another log than this one")
	}
}

func (a *auditor) checkQuarantine() error {
	return a.tx.EachQuarantined(a.ctx, a.ref, func(q store.Quarantined) error {
		if !q.Sealed(a.ref) {
			a.differs("quarantine "+string(q.Fresh), "its hash is not that of its fields")
		}
		return nil
	})
}
