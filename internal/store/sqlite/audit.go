package sqlite

import (
	"context"

	"firemode"
)

// LockAudit needs no lock: an Update has the database to itself.
func (t writeTx) LockAudit(ctx context.Context, org firemode.OrgID) (seq int64, hash []byte, err error) {
	return t.AuditEnd(ctx, org)
}
