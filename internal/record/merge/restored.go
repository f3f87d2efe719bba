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

// MarkRestored begins a new epoch in every session, in one transaction, after a database was restored from a backup: cursors from
// before are refused from now on, and clients send again what the backup does not hold. It notes so in the audit log of every
// organisation, and returns how many sessions there are. Doing so without need costs every client a whole download, and no reading.
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

// sessionsAtOnce is how many sessions are locked and held in memory at a time.
const sessionsAtOnce = 100

func (r Restoration) markOrganisation(ctx context.Context, tx store.Tx, org firemode.OrgID) (marked int, err error) {
	for after := ""; ; {
		page, err := store.As[store.SessionReader](tx).Sessions(ctx, org, store.SessionFilter{}, store.Page{After: after, Limit: sessionsAtOnce})
		if err != nil {
			return marked, err
		}
		ids := make([]firemode.SessionID, len(page))
		for i, row := range page {
			ids[i], after = row.Row.ID, row.Key
		}
		locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, org, ids)
		if err != nil {
			return marked, err
		}
		for _, l := range locked {
			if err := r.markSession(ctx, tx, l); err != nil {
				return marked, err
			}
		}
		if marked += len(page); len(page) < sessionsAtOnce {
			return marked, r.note(ctx, tx, org, marked)
		}
	}
}

// markSession makes the epoch a number that no other restoration of the same backup has had either: the time, unless that is behind.
func (r Restoration) markSession(ctx context.Context, tx store.Tx, l store.LockedSession) (err error) {
	h := l.Head
	h.Epoch = max(h.Epoch+1, tx.Now().Unix())
	if h.Seq > 0 {
		if h.Checkpoint, err = ledger.CheckpointOf(ledger.RefOf(l.Session), h).Sign(r.Signer); err != nil {
			return err
		}
	}
	return store.As[store.SessionWriter](tx).SaveHead(ctx, l.Session.Org, l.Session.ID, h)
}

func (r Restoration) note(ctx context.Context, tx store.Tx, org firemode.OrgID, sessions int) error {
	return store.AppendActions(ctx, tx, firemode.Principal{Org: org}, store.Action{
		ID: firemode.AuditID(r.NewID()), Name: "restore", Subject: string(org), Data: map[string]any{"sessions": sessions},
	})
}
