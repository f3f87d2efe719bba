package firemode

import "context"

// Role says what a user may do; internal/identity holds the policy table.
type Role string

// The roles of the contract.
const (
	RoleAdmin      Role = "admin"
	RoleManager    Role = "manager"
	RoleTechnician Role = "technician"
	RoleEngineer   Role = "engineer"
	RoleOwner      Role = "owner"
)

// Roles lists every role.
var Roles = [...]Role{RoleAdmin, RoleManager, RoleTechnician, RoleEngineer, RoleOwner}

// Valid reports whether r is one of Roles.
func (r Role) Valid() bool {
	for _, known := range Roles {
		if r == known {
			return true
		}
	}
	return false
}

// Principal is who a request is made for. (The design's "actor" is kept for the merge's actors: one client in one session.)
type Principal struct {
	Org  OrgID
	User UserID
	Name string // the username
	Role Role
}

type principalKey struct{}

// WithPrincipal returns a context in which work is done for p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns who ctx works for; ok is false where nobody has been authenticated.
func PrincipalFrom(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

type requestIDKey struct{}

// WithRequestID returns a context that carries the id of the request, the transaction_id of errors and log lines.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request that ctx serves, "" outside one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Caller returns who ctx works for.
func Caller(ctx context.Context) (Principal, error) {
	p, ok := PrincipalFrom(ctx)
	if !ok {
		return p, Unauthenticated("sign in first")
	}
	return p, nil
}

// Limits returns whose sessions and defects lists are limited to for p: those that name a technician or nobody, those of an owner's
// buildings, or with neither all of the organisation.
func (p Principal) Limits() (visibleTo, ownedBy UserID) {
	switch p.Role {
	case RoleTechnician:
		return p.User, ""
	case RoleOwner:
		return "", p.User
	default:
		return "", ""
	}
}
