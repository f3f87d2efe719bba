package firemode

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

// Principal is the user a request is made for. The word actor is kept for the actors of the merge:
// one client in one session.
type Principal struct {
	Org  OrgID
	User UserID
	Name string // the username
	Role Role
}

// Limits returns whose sessions and defects lists are limited to for p: those that name a
// technician or nobody, those of an owner's buildings, or with neither all of the organisation.
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
