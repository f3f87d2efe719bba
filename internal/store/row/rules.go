package row

import (
	"context"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// RuleColumns are those of table rules.
const RuleColumns = "org, code, version, name, description, system, standard, section, frequencies, rule_schema, " +
	"note, created_at, created_by, creation"

// RuleTaken says what CreateRules found taken.
var RuleTaken = Taken{Primary: "this version of the rule exists already; versions never change"}

// RuleValues are in the order of RuleColumns.
func RuleValues(r firemode.Rule) ([]any, error) {
	var e encoder
	values := []any{
		r.Org, r.Code, r.Version, r.Name, r.Description, r.System, r.Standard, r.Section,
		e.json(r.Frequencies), e.json(r.Schema), r.Note, store.Micros(r.CreatedAt), r.CreatedBy, blob(r.Creation),
	}
	return values, e.err
}

// ScanRule reads RuleColumns and the time of deactivation.
func ScanRule(s Scanner) (r firemode.Rule, err error) {
	err = scan(s, "rules", &r.Org, &r.Code, &r.Version, &r.Name, &r.Description, &r.System, &r.Standard, &r.Section,
		store.JSONColumn{Into: &r.Frequencies}, store.JSONColumn{Into: &r.Schema}, &r.Note,
		store.TimeColumn{Into: &r.CreatedAt}, &r.CreatedBy, &r.Creation, store.TimeColumn{Into: &r.DeactivatedAt})
	return r, err
}

// DeactivationColumns are those of table rule_deactivations after org.
const DeactivationColumns = "code, version, deactivated_at, deactivated_by"

// ScanDeactivation reads DeactivationColumns.
func ScanDeactivation(r Scanner) (d store.Deactivation, err error) {
	err = scan(r, "rule_deactivations", &d.Code, &d.Version, store.TimeColumn{Into: &d.At}, &d.By)
	return d, err
}

// Of two deactivations of a shared version, by its owner and by org, the earlier one counts.
const selectRules = "SELECT " + RuleColumns + `,
	coalesce((SELECT min(deactivated_at) FROM rule_deactivations d
		WHERE d.org IN (r.org, ?1) AND d.code = r.code AND d.version = r.version), 0)
FROM rules r
WHERE org = ?1 OR org = '' AND NOT EXISTS
	(SELECT 1 FROM rules o WHERE o.org = ?1 AND ?1 <> '' AND o.code = r.code AND o.version = r.version)`

// Rules implements store.RuleReader.
func (r Reader) Rules(ctx context.Context, org firemode.OrgID) ([]firemode.Rule, error) {
	return All(ctx, r.sql, ScanRule, selectRules, org)
}

// RulesStamp implements store.RuleReader. Both stamps only ever grow, so their sum changes with
// either.
func (r Reader) RulesStamp(ctx context.Context, org firemode.OrgID) (int64, error) {
	return One(ctx, r.sql, Int, "SELECT CAST(coalesce(sum(stamp), 0) AS BIGINT) FROM rule_stamps WHERE org IN ('', ?)",
		org)
}

// Deactivations implements store.RuleReader.
func (r Reader) Deactivations(ctx context.Context, org firemode.OrgID) ([]store.Deactivation, error) {
	return All(ctx, r.sql, ScanDeactivation,
		"SELECT "+DeactivationColumns+" FROM rule_deactivations WHERE org = ? ORDER BY code, version", org)
}

// InsertRules adds versions of rules. The caller stamps the rules of their organisations.
func InsertRules(ctx context.Context, sql Engine, rules []firemode.Rule) error {
	_, err := WriteAll(ctx, sql, RuleTaken, InsertInto("rules", RuleColumns), rules, RuleValues)
	return err
}

// Organisations returns the organisations of rules, each once, in order.
func Organisations(rules []firemode.Rule) []firemode.OrgID {
	var orgs []firemode.OrgID
	for _, r := range rules {
		orgs = append(orgs, r.Org)
	}
	slices.Sort(orgs)
	return slices.Compact(orgs)
}

// StampRules moves the stamp of the rules of org.
func StampRules(ctx context.Context, sql Engine, org firemode.OrgID) error {
	return Exec(ctx, sql, `INSERT INTO rule_stamps (org, stamp) VALUES (?, 1)
		ON CONFLICT (org) DO UPDATE SET stamp = rule_stamps.stamp + 1`, org)
}

// InsertDeactivation adds the deactivation of a version for org, and reports whether there was
// none; CodeNotFound if org does not see such a version. The caller then stamps the rules of org.
func InsertDeactivation(
	ctx context.Context, sql Engine, org firemode.OrgID, d store.Deactivation,
) (added bool, err error) {
	_, err = One(ctx, sql, Int, "SELECT CAST(1 AS BIGINT) FROM rules WHERE org IN ('', ?) AND code = ? AND version = ?",
		org, d.Code, d.Version)
	if _, err = Found(0, err, "version of this rule"); err != nil {
		return false, sql.Fail(err)
	}
	n, err := sql.Write(ctx, Taken{}, `INSERT INTO rule_deactivations (org, code, version, deactivated_at,
		deactivated_by)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, org, d.Code, d.Version, store.Micros(d.At), d.By)
	return n > 0, err
}
