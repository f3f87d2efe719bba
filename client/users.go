package client

import (
	"context"
	"iter"
	"net/http"
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

// NewUser is a user to be made.
type NewUser struct {
	ID       firemode.UserID `json:"user_id,omitzero"` // "" to have one minted
	Username string          `json:"username"`
	FullName string          `json:"full_name,omitzero"`
	Role     firemode.Role   `json:"role"`
	Password string          `json:"password"`
}

// UserPatch changes a user; nil fields stay as they are.
type UserPatch struct {
	FullName *string        `json:"full_name,omitzero"`
	Role     *firemode.Role `json:"role,omitzero"`
	Disabled *bool          `json:"disabled,omitzero"`
	Password *string        `json:"password,omitzero"`
}

// Audit is an entry of the audit log.
type Audit struct {
	ID      firemode.AuditID `json:"audit_log_id"`
	Seq     int64            `json:"seq"`
	At      time.Time        `json:"at"`
	User    firemode.UserID  `json:"user_id"`
	Action  string           `json:"action"`
	Subject string           `json:"subject"`
	Data    jsontext.Value   `json:"data"`
}

// Me returns who is logged in.
func (c *Client) Me(ctx context.Context) (u User, err error) {
	err = c.fetch(ctx, get("/v1/users/me", nil), &u, &u.ETag)
	return u, err
}

// MyAudits lists what the caller did, newest first.
func (c *Client) MyAudits(ctx context.Context) iter.Seq2[Audit, error] {
	return walk[Audit](ctx, c, "/v1/users/me/audits", nil)
}

// ChangePassword changes the caller's password. All tokens are void then: log in again. It is not repeated by itself, since the
// second attempt of one that has worked would be refused.
func (c *Client) ChangePassword(ctx context.Context, old, next string) error {
	q := post("/v1/users/me/password", map[string]string{"old_password": old, "new_password": next})
	q.unkeyed = true
	_, err := c.do(ctx, q, nil)
	return err
}

// CreateUser adds a user.
func (c *Client) CreateUser(ctx context.Context, n NewUser) (u User, err error) {
	err = c.fetch(ctx, post(path("users"), n), &u, &u.ETag)
	return u, err
}

// Users lists the users of the organisation, oldest first.
func (c *Client) Users(ctx context.Context) iter.Seq2[User, error] {
	return walk[User](ctx, c, path("users"), nil)
}

// User returns one user.
func (c *Client) User(ctx context.Context, id firemode.UserID) (u User, err error) {
	err = c.fetch(ctx, get(path("users", string(id)), nil), &u, &u.ETag)
	return u, err
}

// PatchUser changes a user; etag "" is any version.
func (c *Client) PatchUser(ctx context.Context, id firemode.UserID, etag string, p UserPatch) (u User, err error) {
	err = c.fetch(ctx, patch(path("users", string(id)), etag, p), &u, &u.ETag)
	return u, err
}

// patch is a change of the thing at path, if its version is etag.
func patch(path, etag string, body any) call {
	return call{method: http.MethodPatch, path: path, body: body}.with("If-Match", etag)
}
