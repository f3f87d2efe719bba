package httpapi

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/identity"
	"firemode/internal/record/ledger"
)

type userBody struct {
	ID        firemode.UserID `json:"user_id"`
	Username  string          `json:"username"`
	FullName  string          `json:"full_name"`
	Role      firemode.Role   `json:"role"`
	Org       firemode.OrgID  `json:"organisation_id"`
	Disabled  bool            `json:"disabled"`
	CreatedAt time.Time       `json:"created_at"`
}

func userOf(u firemode.User) userBody {
	return userBody{
		ID: u.ID, Username: u.Username, FullName: u.FullName, Role: u.Role, Org: u.Org, Disabled: u.Disabled,
		CreatedAt: u.CreatedAt.UTC(),
	}
}

// UserPath is the path of one user.
type UserPath struct {
	ID firemode.UserID `path:"id" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"user_id"`
}

type createUserInput struct {
	Body struct {
		ID       firemode.UserID `json:"user_id,omitempty" doc:"Minted when absent"`
		Username string          `json:"username" minLength:"1" maxLength:"200" doc:"Unique over all organisations, compared without case"`
		FullName string          `json:"full_name,omitempty" maxLength:"200"`
		Role     firemode.Role   `json:"role" enum:"admin,manager,technician,engineer,owner"`
		Password string          `json:"password" minLength:"10" maxLength:"128" format:"password"`
	}
}

type patchUserInput struct {
	UserPath
	httpkit.Versioned
	Body struct {
		FullName *string        `json:"full_name,omitempty" maxLength:"200"`
		Role     *firemode.Role `json:"role,omitempty" enum:"admin,manager,technician,engineer,owner"`
		Disabled *bool          `json:"disabled,omitempty"`
		Password *string        `json:"password,omitempty" minLength:"10" maxLength:"128" format:"password"`
	}
}

type passwordInput struct {
	Body struct {
		Old string `json:"old_password" maxLength:"1024" format:"password"`
		New string `json:"new_password" minLength:"10" maxLength:"128" format:"password"`
	}
}

func userReply(u firemode.User, err error) (*httpkit.Reply[userBody], error) {
	return &httpkit.Reply[userBody]{ETag: httpkit.ETag(u.Version), Body: userOf(u)}, err
}

func (a *API) createUser(ctx context.Context, in *createUserInput) (*httpkit.Reply[userBody], error) {
	return userReply(a.Services.Auth.CreateUser(ctx, identity.NewUser{
		ID: in.Body.ID, Username: in.Body.Username, FullName: in.Body.FullName, Role: in.Body.Role,
		Password: in.Body.Password,
	}))
}

func (a *API) listUsers(ctx context.Context, in *struct{ Paging }) (*httpkit.Reply[list[userBody]], error) {
	page, err := a.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	rows, err := a.Services.Auth.Users(ctx, page)
	return listed(ctx, a, in.Paging, rows, userOf), err
}

func (a *API) getUser(ctx context.Context, in *UserPath) (*httpkit.Reply[userBody], error) {
	return userReply(a.Services.Auth.User(ctx, in.ID))
}

func (a *API) patchUser(ctx context.Context, in *patchUserInput) (*httpkit.Reply[userBody], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return userReply(a.Services.Auth.UpdateUser(ctx, in.ID, version, identity.Patch(in.Body)))
}

func (a *API) me(ctx context.Context, _ *struct{}) (*httpkit.Reply[userBody], error) {
	return userReply(a.Services.Auth.Me(ctx))
}

func (a *API) changePassword(ctx context.Context, in *passwordInput) (*nothing, error) {
	return nil, a.Services.Auth.ChangePassword(ctx, in.Body.Old, in.Body.New)
}

type auditBody struct {
	ID      firemode.AuditID `json:"audit_log_id"`
	Seq     int64            `json:"seq" doc:"Place in the organisation's log, from 1"`
	At      time.Time        `json:"at"`
	User    firemode.UserID  `json:"user_id"`
	Action  string           `json:"action" example:"classify"`
	Subject string           `json:"subject" doc:"What it was done to"`
	Data    map[string]any   `json:"data" doc:"The particulars"`
}

func auditOf(e ledger.AuditEntry) auditBody {
	b := auditBody{ID: e.ID, Seq: e.Seq, At: e.At.UTC(), User: e.User, Action: e.Action, Subject: e.Subject}
	// Data that is not an object is shown as null; the verification of the log finds damage.
	_ = json.Unmarshal(e.Data, &b.Data)
	return b
}

func (a *API) myAudits(ctx context.Context, in *struct{ Paging }) (*httpkit.Reply[list[auditBody]], error) {
	page, err := a.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	rows, err := a.Services.Auth.MyAudits(ctx, page)
	return listed(ctx, a, in.Paging, rows, auditOf), err
}
