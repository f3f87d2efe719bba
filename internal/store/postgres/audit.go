package postgres

import (
	"context"
	"errors"

	"firemode"
	"firemode/internal/store/row"
)

func (t writeTx) LockAudit(ctx context.Context, org firemode.OrgID) (seq int64, hash []byte, err error) {
	const lock = row.SelectAuditEnd + " FOR UPDATE"
	end, err := row.One(ctx, t.sql, row.ScanAuditEnd, lock, org)
	if errors.Is(err, row.ErrNone) { // the organisation's first entry: of two at once, one waits for the other here
		if err := row.Exec(ctx, t.sql, "INSERT INTO audit_heads (org, seq) VALUES ($1, 0) ON CONFLICT DO NOTHING",
			org); err != nil {
			return 0, nil, err
		}
		end, err = row.One(ctx, t.sql, row.ScanAuditEnd, lock, org)
	}
	return end.Seq, end.Hash, err
}
