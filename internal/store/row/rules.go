package row

import (
	"firemode"
	"firemode/internal/store"
)

// RuleColumns are those of table rules.
const RuleColumns = "org, code, version, name, description, system, standard, section, frequencies, rule_schema, note, created_at, created_by, creation"

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
