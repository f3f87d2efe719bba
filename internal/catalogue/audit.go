package catalogue

import (
	"context"
	"encoding/json"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Actions in the audit log. The subject is the rule code.
const (
	ActionCreate     = "rule.create"
	ActionDeactivate = "rule.deactivate"
	ActionClassify   = "classify"
)

// audit records in org's log that the caller did action to each of rs. The shared catalogue, org "", has a log of its own.
func (s *Service) audit(ctx context.Context, tx store.Tx, org firemode.OrgID, action string, rs []firemode.Rule) error {
	p, _ := firemode.PrincipalFrom(ctx)
	entries := make([]ledger.AuditEntry, len(rs))
	for i, r := range rs {
		data, err := json.Marshal(map[string]any{"version": r.Version, "fingerprint": r.Creation})
		if err != nil {
			return err
		}
		entries[i] = ledger.AuditEntry{ID: firemode.AuditID(s.newID()), User: p.User, Action: action, Subject: string(r.Code), Data: data}
		if action == ActionCreate {
			entries[i].At = r.CreatedAt // before now where a log begins with what there was
		}
	}
	return store.AppendAudit(ctx, tx, org, entries...)
}
