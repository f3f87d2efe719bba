package identity

import (
	"context"
	"encoding/json"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// audit adds e to the log of org.
func (s *Service) audit(ctx context.Context, tx store.Tx, org firemode.OrgID, e ledger.AuditEntry) error {
	e.ID = firemode.AuditID(s.newID())
	if e.Data == nil {
		e.Data = particulars(nil)
	}
	return store.AppendAudit(ctx, tx, org, e)
}

// particulars is the JSON object of an audit entry; its values are strings and booleans.
func particulars(values map[string]any) []byte {
	if values == nil {
		return []byte("{}")
	}
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // only for a value that JSON has no form for
	}
	return text
}
