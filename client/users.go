package client

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

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

// Audit is an entry of the audit log of the organisation.
type Audit struct {
	ID      firemode.AuditID `json:"audit_log_id"`
	Seq     int64            `json:"seq"`
	At      time.Time        `json:"at"`
	User    firemode.UserID  `json:"user_id"`
	Action  string           `json:"action"`
	Subject string           `json:"subject"`
	Data    jsontext.Value   `json:"data"`
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

// MyAudits lists what the user who is logged in did, newest first.
func (c *Client) MyAudits(ctx context.Context) iter.Seq2[Audit, error] {
	return list[Audit](ctx, c, path("users", "me", "audits"), nil)
}
