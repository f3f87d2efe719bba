package assess

import (
	"fmt"
	"slices"
	"strings"

	"firemode"
)

// assess returns disputed before untouched, untouched before incomplete, and done when nothing is
// missing: each check has an outcome, each failure a finding that explains it, and what was not
// tested a reason.
func (r Record) assess(checks []firemode.Check, disputed bool) (firemode.ItemState, []string) {
	var missing, open []string
	add := func(problem string) {
		if !slices.Contains(missing, problem) {
			missing = append(missing, problem)
		}
	}
	for _, c := range checks {
		subject := "the item" // whose outcome counts for the check
		if r.Checks[c.Rule] != "" {
			subject = string(c.Rule)
		}
		switch outcome := r.outcomeOf(c.Rule); {
		case outcome == "":
			open = append(open, string(c.Rule))
		case outcome == outcomeFail && !r.explains(c.Rule):
			add(subject + " failed without saying what was seen")
		case outcome == outcomeNotTested && strings.TrimSpace(r.Reason) == "":
			add(subject + " was not tested, without a reason")
		}
	}
	switch {
	case len(open) == len(checks) && len(checks) > 0:
		missing = append(missing, "no outcome")
	case len(open) > 0:
		missing = append(missing, "no outcome for "+strings.Join(open, ", "))
	}
	for _, f := range r.Findings {
		if f.UnknownCondition {
			add(fmt.Sprintf("%s does not know the condition %s", f.Rule.Code, f.Condition))
		}
	}
	switch {
	case disputed:
		return firemode.ItemDisputed, append(missing, "readings are in dispute")
	case !r.Touched:
		return firemode.ItemUntouched, nil
	case len(missing) > 0:
		return firemode.ItemIncomplete, missing
	default:
		return firemode.ItemDone, nil
	}
}

// outcomeOf returns the outcome of a check: its own, else that of the item.
func (r Record) outcomeOf(rule firemode.RuleCode) string {
	if own := r.Checks[rule]; own != "" {
		return own
	}
	return r.Outcome
}

// explains reports whether a finding explains the failure of a check: a finding under its own rule
// if the check has an outcome of its own, else a finding under any rule.
func (r Record) explains(rule firemode.RuleCode) bool {
	own := r.Checks[rule] != ""
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return !own || f.Rule.Code == rule })
}
