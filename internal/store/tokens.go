package store

import (
	"context"
	"time"

	"firemode"
)

// TokenReader reads refresh tokens and revocations.
type TokenReader interface {
	// RefreshToken returns the token with that hash; CodeNotFound if there is none.
	RefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error)
	// RevocationsSince lists those with Seq > since that have not expired at now, in order of Seq.
	// On some engines, concurrent writers may commit out of order: a caller asks from a little
	// before the last Seq that it has seen.
	RevocationsSince(ctx context.Context, since int64, now time.Time) ([]firemode.Revocation, error)
}

// TokenWriter writes refresh tokens and revocations.
type TokenWriter interface {
	// CreateRefreshToken adds a token; CodeConflict if its hash is taken.
	CreateRefreshToken(ctx context.Context, t firemode.RefreshToken) error
	// LockRefreshToken is RefreshToken, and keeps other writers from the token until the
	// transaction ends.
	LockRefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error)
	// UseRefreshToken writes UsedAt, RetryKey and RetryAnswer of the token with t.Hash;
	// CodeNotFound if there is none.
	UseRefreshToken(ctx context.Context, t firemode.RefreshToken) error
	// ForgetRetryAnswers empties RetryKey and RetryAnswer of tokens used before t, and returns of
	// how many. Its cost follows the number of stored responses, not the number of tokens.
	ForgetRetryAnswers(ctx context.Context, t time.Time) (int, error)
	// RevokeFamily marks every refresh token of the family revoked.
	RevokeFamily(ctx context.Context, family string) error
	// RevokeUserTokens marks every refresh token of the user revoked.
	RevokeUserTokens(ctx context.Context, org firemode.OrgID, user firemode.UserID) error
	// CreateRevocation appends r; the store assigns its Seq.
	CreateRevocation(ctx context.Context, r firemode.Revocation) error
	// DeleteExpiredTokens removes refresh tokens and revocations that expired before t, and returns
	// how many.
	DeleteExpiredTokens(ctx context.Context, t time.Time) (int, error)
}
