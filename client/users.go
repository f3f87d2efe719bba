package client

import (
	"context"
	"time"

	"firemode"
)

// User is a person of the organisation.
type User struct {
	ID        firemode.UserID `json:"user_id"`
	Username  string          `json:"username"`
	FullName  string          `json:"full_name"`
	Role      firemode.Role   `json:"role"`
	Org       firemode.OrgID  `json:"organisation_id"`
	Disabled  bool            `json:"disabled"`
	CreatedAt time.Time       `json:"created_at"`
	ETag      string          `json:"-"`
}

// NewUser is a user to create.
type NewUser struct {
	ID       firemode.UserID `json:"user_id,omitzero"` // "" for a generated one
	Username string          `json:"username"`
	FullName string          `json:"full_name,omitzero"`
	Role     firemode.Role   `json:"role"`
	Password string          `json:"password"`
}

// Me returns the user who is logged in.
func (c *Client) Me(ctx context.Context) (u User, err error) {
	err = c.fetch(ctx, get(path("users", "me"), nil), &u, &u.ETag)
	return u, err
}

// CreateUser adds a user to the organisation. Only administrators may.
func (c *Client) CreateUser(ctx context.Context, n NewUser) (u User, err error) {
	err = c.fetch(ctx, post(path("users"), n), &u, &u.ETag)
	return u, err
}
