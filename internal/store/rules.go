package store

import (
	"context"
	"time"

	"firemode"
)

// RuleReader reads rules.
type RuleReader interface {
	// Rules lists every version that org sees: the shared catalogue (Org "") and its own, in no particular order. DeactivatedAt
	// is set if its owner deactivated it, or org did. An organisation's own version hides a shared one of the same
	// code and version.
	Rules(ctx context.Context, org firemode.OrgID) ([]firemode.Rule, error)
	// RulesStamp changes whenever the answer of Rules may have: caches compare it.
	RulesStamp(ctx context.Context, org firemode.OrgID) (int64, error)
	// Deactivations lists what org has deactivated, by code and version, its own and shared versions.
	Deactivations(ctx context.Context, org firemode.OrgID) ([]Deactivation, error)
}

// RuleWriter writes rules.
type RuleWriter interface {
	// CreateRules adds versions for r.Org ("" for the shared catalogue); CodeConflict if (Org, Code, Version) is taken.
	CreateRules(ctx context.Context, rules []firemode.Rule) error
	// DeactivateRule makes (code, version) inactive for org, whoever owns it; doing so again changes nothing.
	DeactivateRule(ctx context.Context, org firemode.OrgID, code firemode.RuleCode, version string, by firemode.UserID) error
}

// Deactivation says that an organisation stopped using a version of a rule.
type Deactivation struct {
	Code    firemode.RuleCode
	Version string
	At      time.Time
	By      firemode.UserID
}
