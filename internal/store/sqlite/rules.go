package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// Of two deactivations of a shared version, by its owner and by org, the earlier one counts.
const selectRules = "SELECT " + row.RuleColumns + `,
	coalesce((SELECT min(deactivated_at) FROM rule_deactivations d
		WHERE d.org IN (r.org, ?1) AND d.code = r.code AND d.version = r.version), 0)
FROM rules r
WHERE org = ?1 OR org = '' AND NOT EXISTS
	(SELECT 1 FROM rules o WHERE o.org = ?1 AND ?1 <> '' AND o.code = r.code AND o.version = r.version)`

func (t readTx) Rules(ctx context.Context, org firemode.OrgID) ([]firemode.Rule, error) {
	return all(ctx, t, row.ScanRule, selectRules, org)
}

func (t readTx) RulesStamp(ctx context.Context, org firemode.OrgID) (int64, error) {
	// Both only ever grow, so their sum changes with either.
	return one(ctx, t, scanInt, "SELECT coalesce(sum(stamp), 0) FROM rule_stamps WHERE org IN ('', ?)", org)
}

func (t readTx) Deactivations(ctx context.Context, org firemode.OrgID) ([]store.Deactivation, error) {
	return all(ctx, t, row.ScanDeactivation, "SELECT "+row.DeactivationColumns+" FROM rule_deactivations WHERE org = ? ORDER BY code, version", org)
}

func (t writeTx) CreateRules(ctx context.Context, rules []firemode.Rule) error {
	for _, r := range rules {
		values, err := row.RuleValues(r)
		if err != nil {
			return t.fail(err)
		}
		_, err = t.write(ctx, row.RuleTaken,
			"INSERT INTO rules ("+row.RuleColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values...)
		if err != nil {
			return err
		}
		if err := t.stampRules(ctx, r.Org); err != nil {
			return err
		}
	}
	return nil
}

func (t writeTx) DeactivateRule(ctx context.Context, org firemode.OrgID, code firemode.RuleCode, version string, by firemode.UserID) error {
	_, err := one(ctx, t.readTx, scanInt, "SELECT 1 FROM rules WHERE org IN ('', ?) AND code = ? AND version = ?", org, code, version)
	if _, err = found(0, err, "version of this rule"); err != nil {
		return t.fail(err)
	}
	n, err := t.write(ctx, row.Taken{}, "INSERT INTO rule_deactivations (org, code, version, deactivated_at, deactivated_by) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		org, code, version, store.Micros(t.Now()), by)
	if err != nil || n == 0 {
		return err
	}
	return t.stampRules(ctx, org)
}

func (t writeTx) stampRules(ctx context.Context, org firemode.OrgID) error {
	t.changes(store.TopicRules)
	return t.exec(ctx, "INSERT INTO rule_stamps (org, stamp) VALUES (?, 1) ON CONFLICT (org) DO UPDATE SET stamp = stamp + 1", org)
}
