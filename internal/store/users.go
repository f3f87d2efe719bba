package store

import (
	"context"
	"time"

	"firemode"
)

// UserReader reads users.
type UserReader interface {
	User(ctx context.Context, org firemode.OrgID, id firemode.UserID) (firemode.User, error)
	// UserByName finds a user by username, which is unique over all organisations and compared without case.
	UserByName(ctx context.Context, username string) (firemode.User, error)
	// Users lists by (created, id), oldest first.
	Users(ctx context.Context, org firemode.OrgID, p Page) ([]Keyed[firemode.User], error)
	// UsersByID returns those of ids that exist in org, in any order.
	UsersByID(ctx context.Context, org firemode.OrgID, ids []firemode.UserID) ([]firemode.User, error)
}

// UserWriter writes users.
type UserWriter interface {
	// CreateUser is CodeConflict if the id or the username is taken.
	CreateUser(ctx context.Context, u firemode.User) error
	// UpdateUser writes FullName, Role, PasswordHash, Disabled and Generation of the user whose Version is u.Version, and
	// raises the version by one. CodeChanged if the version is another.
	UpdateUser(ctx context.Context, u firemode.User) error
}

// TokenReader reads refresh tokens and revocations.
type TokenReader interface {
	RefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error)
	// RevocationsSince lists those with Seq > since that have not expired at now, in order of Seq. Writers may commit out of
	// order on some engines: a caller asks again from a little before the last Seq it saw.
	RevocationsSince(ctx context.Context, since int64, now time.Time) ([]firemode.Revocation, error)
}

// TokenWriter writes refresh tokens and revocations.
type TokenWriter interface {
	CreateRefreshToken(ctx context.Context, t firemode.RefreshToken) error
	// LockRefreshToken is RefreshToken, and keeps others from changing the row until the transaction ends.
	LockRefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error)
	// UseRefreshToken records UsedAt, RetryKey and RetryAnswer of the token with t.Hash.
	UseRefreshToken(ctx context.Context, t firemode.RefreshToken) error
	// ForgetRetryAnswers empties RetryKey and RetryAnswer of tokens used before t, and returns how many had an answer. Its cost follows the
	// number of answers kept, not the number of tokens.
	ForgetRetryAnswers(ctx context.Context, t time.Time) (int, error)
	// RevokeFamily marks every refresh token of the family revoked.
	RevokeFamily(ctx context.Context, family string) error
	// RevokeUserTokens marks every refresh token of the user revoked.
	RevokeUserTokens(ctx context.Context, org firemode.OrgID, user firemode.UserID) error
	// CreateRevocation appends r; the store assigns its Seq.
	CreateRevocation(ctx context.Context, r firemode.Revocation) error
	// DeleteExpiredTokens removes refresh tokens and revocations that expired before t, and returns how many.
	DeleteExpiredTokens(ctx context.Context, t time.Time) (int, error)
}
