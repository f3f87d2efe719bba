package store

import (
	"context"

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
}

// RuleWriter writes rules.
type RuleWriter interface {
	// CreateRules adds versions for r.Org ("" for the shared catalogue); CodeConflict if (Org, Code, Version) is taken.
	CreateRules(ctx context.Context, rules []firemode.Rule) error
	// DeactivateRule makes (code, version) inactive for org, whoever owns it; doing so again changes nothing.
	DeactivateRule(ctx context.Context, org firemode.OrgID, code firemode.RuleCode, version string, by firemode.UserID) error
}
