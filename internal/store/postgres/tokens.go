package postgres

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t writeTx) LockRefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error) {
	r, err := row.One(ctx, t.sql, row.ScanRefreshToken, row.SelectRefreshToken+" FOR UPDATE", hash)
	return row.Found(r, err, "refresh token")
}

// CreateRevocation adds the revocation and reports its topic.
func (t writeTx) CreateRevocation(ctx context.Context, r firemode.Revocation) error {
	if err := t.Writer.CreateRevocation(ctx, r); err != nil {
		return err
	}
	return t.notify(ctx, store.TopicRevocations)
}
