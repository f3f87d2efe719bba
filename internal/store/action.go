package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
)

// Action is one thing that a caller did, as the audit log keeps it.
type Action struct {
	ID      firemode.AuditID
	Name    string    // e.g. "asset.create"
	Subject string    // what it was done to
	Data    any       // particulars, encoded as a JSON object; nil is {}
	At      time.Time // the time of the transaction if zero
}

// Entry returns a as an audit entry of user, "" for the system. It fails if JSON cannot express
// Data.
func (a Action) Entry(user firemode.UserID) (ledger.AuditEntry, error) {
	data := []byte("{}")
	if a.Data != nil {
		var err error
		if data, err = json.Marshal(a.Data); err != nil {
			return ledger.AuditEntry{}, fmt.Errorf("encode audit data of %s: %w", a.Name, err)
		}
	}
	return ledger.AuditEntry{ID: a.ID, User: user, Action: a.Name, Subject: a.Subject, Data: data, At: a.At}, nil
}

// AppendActions records in the audit log of by's organisation that by did actions, in order. Take
// other locks first: the log's is the last.
func AppendActions(ctx context.Context, tx Tx, by firemode.Principal, actions ...Action) error {
	entries := make([]ledger.AuditEntry, len(actions))
	for i, a := range actions {
		var err error
		if entries[i], err = a.Entry(by.User); err != nil {
			return err
		}
	}
	return AppendAudit(ctx, tx, by.Org, entries...)
}
