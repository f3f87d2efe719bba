package identity

import "firemode"

// Permission names one kind of action. Each route requires one; the service decides to which
// building, session or user it applies.
type Permission string

// The permissions. Own is about the caller. A test checks that a route or a handler requires each.
const (
	OwnRead   Permission = "own.read"   // profile and own audit trail
	OwnWrite  Permission = "own.write"  // logout, own password
	UserRead  Permission = "user.read"  // the users of the organisation
	UserWrite Permission = "user.write" // create and change them

	RuleRead  Permission = "rule.read"
	RuleWrite Permission = "rule.write" // new versions, deactivation
	Classify  Permission = "classify"

	BuildingRead  Permission = "building.read"
	BuildingWrite Permission = "building.write"
	AssetRead     Permission = "asset.read"  // the register and its export
	AssetWrite    Permission = "asset.write" // baselines and import included

	SessionRead  Permission = "session.read"  // items and sync status included
	SessionWrite Permission = "session.write" // complete, accept gaps and reopen included
	BundleRead   Permission = "bundle.read"

	ResultRead     Permission = "result.read"      // the merged document and its history
	ResultSubmit   Permission = "result.submit"    // resolve and correct included
	ResultOnBehalf Permission = "result.on_behalf" // submit another user's exported batch

	DefectRead  Permission = "defect.read"
	DefectWrite Permission = "defect.write"
)

// roles is a set of roles.
type roles uint8

const (
	admin roles = 1 << iota
	manager
	engineer
	technician
	owner
)

const (
	everybody = staff | owner
	staff     = office | field
	office    = admin | manager
	field     = engineer | technician
)

// policy is the contract's "Who may what". What it does not list is denied.
var policy = [...]struct {
	permission Permission
	allowed    roles
}{
	{OwnRead, everybody},
	{OwnWrite, everybody},
	{UserRead, office},
	{UserWrite, admin},

	{RuleRead, everybody},
	{RuleWrite, admin},
	{Classify, staff},

	{BuildingRead, everybody},
	{BuildingWrite, office},
	{AssetRead, everybody},
	{AssetWrite, office},

	{SessionRead, everybody},
	{SessionWrite, office},
	{BundleRead, everybody},

	{ResultRead, everybody},
	{ResultSubmit, staff},
	{ResultOnBehalf, office},

	{DefectRead, everybody},
	{DefectWrite, office | engineer},
}

// Allows reports whether a user of role r has p. Unknown roles and unknown permissions are denied.
func (p Permission) Allows(r firemode.Role) bool {
	for _, row := range policy {
		if row.permission == p {
			return row.allowed&roleSet(r) != 0
		}
	}
	return false
}

// Permissions lists every permission in the order of the policy table.
func Permissions() []Permission {
	all := make([]Permission, len(policy))
	for i, row := range policy {
		all[i] = row.permission
	}
	return all
}

func roleSet(r firemode.Role) roles {
	switch r {
	case firemode.RoleAdmin:
		return admin
	case firemode.RoleManager:
		return manager
	case firemode.RoleEngineer:
		return engineer
	case firemode.RoleTechnician:
		return technician
	case firemode.RoleOwner:
		return owner
	default:
		return 0
	}
}
