package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func entryName(seq int64) string { return fmt.Sprintf("batches entry %d", seq) }

// checkEntry checks that a log entry continues the chain and is as it was sealed, and its changes.
func (s *verification) checkEntry(e ledger.Entry) {
	where := entryName(e.Seq)
	if e.Seq != s.log.seq+1 {
		s.differs(where, "it comes after entry %d: entries are missing", s.log.seq)
	}
	if !bytes.Equal(e.Prev, s.log.hash) {
		s.differs(where, "it does not continue the chain: its previous hash is not that of the entry before")
	}
	if !e.Sealed(s.ref) {
		s.differs(where, "its hash is not that of its fields")
	}
	if e.Kind != ledger.EntryChanges {
		return
	}
	changes, err := ledger.ParseChanges(e)
	if err != nil {
		s.differs(where, "its changes cannot be read: %v", err)
		return
	}
	if content := crdt.Content(changes); !bytes.Equal(content[:], e.Content) {
		s.differs(where, "its content is not that of its changes")
	}
	if len(changes) != len(e.Outcomes) {
		s.differs(where, "it has %d changes and %d outcomes", len(changes), len(e.Outcomes))
	}
}

// checkHead compares the head with the end of the log, and the checkpoint with the tree over the
// log.
func (s *verification) checkHead() {
	const where = "session_heads"
	if s.head.Seq != s.log.seq || !bytes.Equal(s.head.Hash, s.log.hash) {
		s.differs(where+" and batches",
			"the head says that the log ends at entry %d; it ends at %d, or with another hash", s.head.Seq, s.log.seq)
	}
	if !bytes.Equal(s.head.Frontier, s.log.frontier) {
		s.differs(where, "its frontier is not that of the tree over the log")
	}
	if s.log.seq == 0 {
		if s.head.Checkpoint != "" {
			s.differs(where, "it has a checkpoint of an empty log")
		}
		return
	}
	c, err := ledger.OpenCheckpoint(s.head.Checkpoint, s.Key)
	if err != nil {
		s.differs(where+" checkpoint", "%v", err)
		return
	}
	if c.Org != string(s.ref.Org) || c.Session != string(s.ref.Session) || c.Size != s.log.seq ||
		!bytes.Equal(c.Root, s.log.frontier.Root()) || c.Epoch != s.head.Epoch {
		s.differs(where+" checkpoint", "it is a checkpoint of another log")
	}
}

// checkStatus compares the session's status with what the log says.
func (s *verification) checkStatus() {
	x := s.session
	if x.Status != s.log.status || x.Reason != s.log.reason || !x.CompletedAt.Equal(s.log.completed) {
		s.differs("sessions", "it is stored as %s (%q, completed %s), and the log says %s (%q, completed %s)",
			x.Status, x.Reason, x.CompletedAt, s.log.status, s.log.reason, s.log.completed)
	}
}

// checkCreation compares the session and its items with what the audit log says about their
// creation.
func (s *verification) checkCreation(items []firemode.Item) {
	if !s.audited {
		return
	}
	e := s.created
	if e.Seq == 0 {
		s.differs("sessions", "the audit log does not say that it was created")
		return
	}
	var logged ledger.Creation
	if err := json.Unmarshal(e.Data, &logged); err != nil {
		s.differs("audit entry "+string(e.ID), "it cannot be read: %v", err)
		return
	}
	stored := ledger.CreationOf(s.session, s.head.Key, items)
	if stored.Digest != logged.Digest {
		s.differs("items", "they are not those that the session was created with: their digest differs")
	}
	if logged.Secret != "" && stored.Secret != logged.Secret { // earlier binaries did not log it
		s.differs("session_heads", "its secret is not the one that the session was created with")
	}
	stored.Digest, stored.Secret = logged.Digest, logged.Secret
	if stored != logged || e.User != s.session.CreatedBy || !e.At.Equal(s.session.CreatedAt) {
		s.differs("sessions", "it is stored as %+v by %s at %s, and was created as %+v by %s at %s",
			stored, s.session.CreatedBy, s.session.CreatedAt, logged, e.User, e.At)
	}
}

// checkQuarantine checks each batch of a forked client, and that its new client id is the one that
// the session's secret gives.
func (s *verification) checkQuarantine(ctx context.Context) error {
	return store.As[store.EntryReader](s.tx).EachQuarantined(ctx, s.ref, func(q ledger.Quarantined) error {
		s.forked[q.Fresh] = q
		where := "quarantine " + string(q.Fresh)
		if !q.Sealed(s.ref) {
			s.differs(where, "its hash is not that of its fields")
		}
		if len(q.Content) != len(crdt.Posted{}.Content) {
			return nil // then its hash differs
		}
		p := crdt.Posted{Actor: q.Actor, Number: q.Number, ID: q.ID, PrevID: q.PrevID, Content: [32]byte(q.Content)}
		if crdt.FreshActor(s.head.Key, p) != q.Fresh {
			s.differs(where, "its id is not the one that the session gives to this batch")
		}
		return nil
	})
}
