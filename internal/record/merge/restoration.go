package merge

import (
	"context"

	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Restoration is what MarkRestored needs beside the store.
type Restoration struct {
	Signer note.Signer
	NewID  func() string
}

// MarkRestored begins a new epoch in every session, in one transaction, after a database was
// restored from a backup. Earlier cursors are then refused, and clients resend what the backup does
// not hold. It appends an audit entry in every organisation, and returns the number of sessions. An
// unnecessary call makes every client download the whole document once; no reading is lost.
func MarkRestored(ctx context.Context, s store.Store, r Restoration) (sessions int, err error) {
	err = s.Update(ctx, func(tx store.Tx) error {
		orgs, err := store.As[store.OrganisationReader](tx).Organisations(ctx)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			n, err := r.markOrganisation(ctx, tx, org.ID)
			if err != nil {
				return err
			}
			sessions += n
		}
		return nil
	})
	return sessions, err
}

// sessionsAtOnce is how many sessions are held in memory at a time.
const sessionsAtOnce = 100

func (r Restoration) markOrganisation(ctx context.Context, tx store.Tx, org firemode.OrgID) (marked int, err error) {
	reader, writer := store.As[store.SessionReader](tx), store.As[store.SessionWriter](tx)
	for after := ""; ; {
		page, err := reader.Sessions(ctx, org, store.SessionFilter{}, store.Page{After: after, Limit: sessionsAtOnce})
		if err != nil {
			return marked, err
		}
		ids := make([]firemode.SessionID, len(page))
		for i, row := range page {
			ids[i], after = row.Row.ID, row.Key
		}
		locked, err := writer.LockSessions(ctx, org, ids)
		if err != nil {
			return marked, err
		}
		for _, l := range locked {
			h, err := r.nextEpoch(l, tx.Now().Unix())
			if err != nil {
				return marked, err
			}
			if err := writer.SaveHead(ctx, org, l.Session.ID, h); err != nil {
				return marked, err
			}
		}
		if marked += len(page); len(page) < sessionsAtOnce {
			return marked, r.audit(ctx, tx, org, marked)
		}
	}
}

// nextEpoch returns the head of a session in a new epoch, with its checkpoint signed. The epoch is
// the time in seconds, so that no other restoration of the same backup has the same one, unless the
// clock is behind.
func (r Restoration) nextEpoch(l store.LockedSession, seconds int64) (h ledger.Head, err error) {
	h = l.Head
	h.Epoch = max(h.Epoch+1, seconds)
	if h.Seq > 0 {
		h.Checkpoint, err = ledger.CheckpointOf(ledger.RefOf(l.Session), h).Sign(r.Signer)
	}
	return h, err
}

func (r Restoration) audit(ctx context.Context, tx store.Tx, org firemode.OrgID, sessions int) error {
	return store.AppendActions(ctx, tx, firemode.Principal{Org: org}, store.Action{
		ID: firemode.AuditID(r.NewID()), Name: "restore", Subject: string(org), Data: map[string]any{"sessions": sessions},
	})
}
