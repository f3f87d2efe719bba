package postgres

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// CreateRules stamps the rules first: of two transactions that add the same rules in another order,
// one waits there for the other.
func (t writeTx) CreateRules(ctx context.Context, rules []firemode.Rule) error {
	for _, org := range row.Organisations(rules) {
		if err := t.stampRules(ctx, org); err != nil {
			return err
		}
	}
	return row.InsertRules(ctx, t.sql, rules)
}

func (t writeTx) DeactivateRule(
	ctx context.Context, org firemode.OrgID, code firemode.RuleCode, version string, by firemode.UserID,
) error {
	added, err := row.InsertDeactivation(ctx, t.sql, org, store.Deactivation{
		Code: code, Version: version, At: t.Now(),
		By: by,
	})
	if err != nil || !added {
		return err
	}
	return t.stampRules(ctx, org)
}

func (t writeTx) stampRules(ctx context.Context, org firemode.OrgID) error {
	if err := row.StampRules(ctx, t.sql, org); err != nil {
		return err
	}
	return t.notify(ctx, store.TopicRules)
}
