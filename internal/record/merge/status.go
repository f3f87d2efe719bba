package merge

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// StatusChange completes or reopens a session.
type StatusChange struct {
	Session firemode.Session // as it is to be, with its new Status
	By      firemode.UserID
	// Reason and AcceptGaps become part of the log.
	Reason     string
	AcceptGaps bool
}

// ChangeStatus appends a change of status to the log of a locked session, so that it is part of the history that
// can be proved. Completing keeps what the visit found for the next one; reopening merges what arrived meanwhile. The caller
// writes the session itself, and has decided that the change is allowed.
func (s *Service) ChangeStatus(ctx context.Context, tx store.Tx, locked store.LockedSession, c StatusChange) error {
	m := s.newMerging(ctx, tx, locked)
	m.session = c.Session
	if err := m.logStatus(c); err != nil {
		return err
	}
	if c.Session.Status == firemode.SessionReopened {
		if err := m.mergeLate(); err != nil {
			return err
		}
	} else if err := m.rememberResults(); err != nil {
		return err
	}
	if err := m.finish(); err != nil {
		return err
	}
	return store.AppendAudit(ctx, tx, m.ref.Org, m.audits...)
}

func (m *merging) logStatus(c StatusChange) error {
	text, err := ledger.StatusChange{AcceptGaps: c.AcceptGaps, Reason: c.Reason, Status: c.Session.Status}.Encode()
	if err != nil {
		return err
	}
	seq := m.head.Seq + 1
	m.log(&ledger.Entry{
		Seq: seq, Kind: ledger.EntryStatus, User: c.By, ReceivedAt: m.tx.Now(), Changes: text, MergedSeq: seq,
	})
	return nil
}
