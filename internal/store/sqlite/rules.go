package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t writeTx) CreateRules(ctx context.Context, rules []firemode.Rule) error {
	if err := row.InsertRules(ctx, t.sql, rules); err != nil {
		return err
	}
	for _, org := range row.Organisations(rules) {
		if err := t.stampRules(ctx, org); err != nil {
			return err
		}
	}
	return nil
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
	t.notify(store.TopicRules)
	return row.StampRules(ctx, t.sql, org)
}
