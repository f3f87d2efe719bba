package store

import (
	"context"
	"time"

	"firemode"
)

// RuleReader reads rules.
type RuleReader interface {
	// Rules lists every version that org sees: the shared catalogue (Org "") and its own, in any
	// order. DeactivatedAt is set if its owner deactivated it, or org did. An organisation's own
	// version hides a shared one of the same code and version.
	Rules(ctx context.Context, org firemode.OrgID) ([]firemode.Rule, error)
	// RulesStamp returns a number that changes whenever the result of Rules may have changed:
	// caches compare it.
	RulesStamp(ctx context.Context, org firemode.OrgID) (int64, error)
	// Deactivations lists the versions that org has deactivated, its own and shared ones, by code
	// and version.
	Deactivations(ctx context.Context, org firemode.OrgID) ([]Deactivation, error)
}

// RuleWriter writes rules.
type RuleWriter interface {
	// CreateRules adds versions for r.Org ("" for the shared catalogue); CodeConflict if (Org,
	// Code, Version) is taken.
	CreateRules(ctx context.Context, rules []firemode.Rule) error
	// DeactivateRule deactivates (code, version), shared or of org, for org. A second call changes
	// nothing. CodeNotFound if org does not see such a version.
	DeactivateRule(
		ctx context.Context, org firemode.OrgID, code firemode.RuleCode, version string, by firemode.UserID,
	) error
}

// Deactivation says that an organisation stopped using a version of a rule.
type Deactivation struct {
	Code    firemode.RuleCode
	Version string
	At      time.Time
	By      firemode.UserID
}
