package verify

import (
	"bytes"
	"encoding/json"
	"fmt"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func entryName(seq int64) string { return fmt.Sprintf("batches entry %d", seq) }

func (a *auditor) checkEntry(b ledger.Entry) {
	where := entryName(b.Seq)
	if b.Seq != a.log.seq+1 {
		a.differs(where, "it comes after entry %d: entries are missing", a.log.seq)
	}
	if !bytes.Equal(b.Prev, a.log.hash) {
		a.differs(where, "it does not continue the chain: its previous hash is not that of the entry before")
	}
	if !b.Sealed(a.ref) {
		a.differs(where, "its hash is not that of its fields")
	}
	if b.Kind != ledger.EntryChanges {
		return
	}
	changes, err := ledger.ParseChanges(b)
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

// checkHead compares the head with where the log ends, and the checkpoint with the tree over it.
func (a *auditor) checkHead() {
	const where = "session_heads"
	if a.head.Seq != a.log.seq || !bytes.Equal(a.head.Hash, a.log.hash) {
		a.differs(where+" and batches", "the head says that the log ends at entry %d; it ends at %d, or with another hash", a.head.Seq, a.log.seq)
	}
	if !bytes.Equal(a.head.Frontier, a.log.frontier) {
		a.differs(where, "its frontier is not that of the tree over the log")
	}
	if a.log.seq == 0 {
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
	if c.Org != string(a.ref.Org) || c.Session != string(a.ref.Session) || c.Size != a.log.seq || !bytes.Equal(c.Root, a.log.frontier.Root()) || c.Epoch != a.head.Epoch {
		a.differs(where+" checkpoint", "it states another log than this one")
	}
}

// checkSession compares what the log says of the session's status with what is stored.
func (a *auditor) checkSession() {
	if a.session.Format != firemode.CurrentFormat {
		a.differs("sessions", "its format is %d, which this binary does not know", a.session.Format)
	}
	if a.session.Status != a.log.status || a.session.Reason != a.log.reason || !a.session.CompletedAt.Equal(a.log.finished) {
		a.differs("sessions", "it is stored as %s (%q, completed %s), and the log says %s (%q, completed %s)",
			a.session.Status, a.session.Reason, a.session.CompletedAt, a.log.status, a.log.reason, a.log.finished)
	}
}

// checkCreation compares the session and its items with what the audit log keeps of them as they were made.
func (a *auditor) checkCreation(items []firemode.Item) {
	if !a.audited {
		return
	}
	e := a.created
	if e.Seq == 0 {
		a.differs("sessions", "the audit log does not say that it was made")
		return
	}
	var kept ledger.Creation
	if err := json.Unmarshal(e.Data, &kept); err != nil {
		a.differs("audit entry "+string(e.ID), "it cannot be read: %v", err)
		return
	}
	now := ledger.CreationOf(a.session, a.head.Key, items)
	if now.Digest != kept.Digest {
		a.differs("items", "they are not those that the session was made with: their digest is another")
	}
	if kept.Secret != "" && now.Secret != kept.Secret {
		a.differs("session_heads", "its secret is not the one that the session was made with")
	}
	now.Digest, now.Secret = kept.Digest, kept.Secret
	if now != kept || e.User != a.session.CreatedBy || !e.At.Equal(a.session.CreatedAt) {
		a.differs("sessions", "it is stored as %+v by %s at %s, and was made as %+v by %s at %s", now, a.session.CreatedBy, a.session.CreatedAt, kept, e.User, e.At)
	}
}

// checkQuarantine checks each batch of a copied phone, and that the id it was given is the one that its session's secret gives.
func (a *auditor) checkQuarantine() error {
	return store.As[store.EntryReader](a.tx).EachQuarantined(a.ctx, a.ref, func(q ledger.Quarantined) error {
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
