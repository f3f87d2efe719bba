package store

import (
	"context"

	"firemode"
)

// UserReader reads users.
type UserReader interface {
	// User returns the user; CodeNotFound if there is none.
	User(ctx context.Context, org firemode.OrgID, id firemode.UserID) (firemode.User, error)
	// UserByName finds a user by username, which is unique over all organisations and compared
	// without case; CodeNotFound if there is none.
	UserByName(ctx context.Context, username string) (firemode.User, error)
	// Users lists by (created, id), oldest first.
	Users(ctx context.Context, org firemode.OrgID, p Page) ([]Keyed[firemode.User], error)
	// UsersByID returns those of ids that exist in org, in any order.
	UsersByID(ctx context.Context, org firemode.OrgID, ids []firemode.UserID) ([]firemode.User, error)
}

// UserWriter writes users.
type UserWriter interface {
	// CreateUser adds a user; CodeConflict if the id or the username is taken.
	CreateUser(ctx context.Context, u firemode.User) error
	// UpdateUser writes FullName, Role, PasswordHash, Disabled and Generation of the user whose
	// Version is u.Version, and raises the version by one. CodeChanged if the version is another,
	// CodeNotFound if there is no such user.
	UpdateUser(ctx context.Context, u firemode.User) error
}
