package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// LockRefreshToken needs no lock: an Update has the database to itself.
func (t writeTx) LockRefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error) {
	return t.RefreshToken(ctx, hash)
}

// CreateRevocation adds the revocation and reports its topic.
func (t writeTx) CreateRevocation(ctx context.Context, r firemode.Revocation) error {
	t.notify(store.TopicRevocations)
	return t.Writer.CreateRevocation(ctx, r)
}
