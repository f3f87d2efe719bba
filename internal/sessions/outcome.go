package sessions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
)

// record is what the document says about one item, taken apart.
type record struct {
	outcome  string                       // of the item as a whole
	checks   map[firemode.RuleCode]string // outcomes of single checks
	reason   string
	findings []finding
	touched  bool // something but removals is live at or below the item
}

// finding is one thing seen: it becomes a defect.
type finding struct {
	rule      firemode.Rule
	condition string
	count     string   // how many, "1" for true
	first     *crdt.Op // the first live sibling that reports it
	finding   rules.Finding
	unlisted  bool // the rule does not know the condition, so it cannot be judged
}

// read takes apart what st shows about an item. rule finds the version by which a check is judged.
func read(st *crdt.State, item firemode.ItemID, rule func(firemode.RuleCode) (firemode.Rule, bool), checks []firemode.Check) record {
	r := record{checks: map[firemode.RuleCode]string{}}
	top := itemPath(item)
	answers := map[firemode.RuleCode]*rules.Finding{}
	for _, reading := range st.Readings(top) {
		at := placeOf(reading.Path)
		switch {
		case at.field == "outcome" && len(at.rest) == 0 && isOutcome(reading.Value):
			r.outcome = text(reading.Value)
		case at.field == "reason" && len(at.rest) == 0:
			r.reason = text(reading.Value)
		case at.field == "checks" && len(at.rest) == 1 && isOutcome(reading.Value):
			r.checks[firemode.RuleCode(at.rest[0])] = text(reading.Value)
		case (at.field == "scope" || at.field == "override") && len(at.rest) == 2:
			answer(answers, at, reading.Value)
		}
	}
	found := map[string]*finding{}
	summed := sums(st)
	st.EachLive(top, func(op *crdt.Op) {
		r.touched = r.touched || op.Kind != crdt.Remove
		for _, f := range reports(summed(op), rule, checks) {
			key := string(f.rule.Code) + "\x00" + f.condition
			if known := found[key]; known == nil || op.Time < known.first.Time {
				found[key] = &f
			}
		}
	})
	for _, key := range slices.Sorted(maps.Keys(found)) {
		f := found[key]
		if a := answers[f.rule.Code]; a != nil {
			f.finding.Scope, f.finding.Override = a.Scope, a.Override
		}
		r.findings = append(r.findings, *f)
	}
	return r
}

// sums returns a function that gives an operation the sum as its value where increments are live at its path: none of what is
// added up was seen alone. Operations of one path must come one after the other.
func sums(st *crdt.State) func(*crdt.Op) *crdt.Op {
	var path crdt.Pointer
	var counted bool
	return func(op *crdt.Op) *crdt.Op {
		if op.Path != path {
			path = op.Path
			counted = slices.ContainsFunc(st.Live(path), func(o *crdt.Op) bool { return o.Kind == crdt.Increment })
		}
		if !counted || op.Kind == crdt.Remove {
			return op
		}
		whole := *op
		whole.Value, _ = st.Shown(path)
		return &whole
	}
}

// answer notes one answer about scope, or one half of an override.
func answer(answers map[firemode.RuleCode]*rules.Finding, at place, v crdt.Value) {
	code := firemode.RuleCode(at.rest[0])
	if answers[code] == nil {
		answers[code] = &rules.Finding{Scope: rules.Scope{}}
	}
	a := answers[code]
	if at.field == "scope" {
		switch {
		case v.IsNumber():
			a.Scope[at.rest[1]] = json.Number(v)
		case v == "true" || v == "false":
			a.Scope[at.rest[1]] = v == "true"
		}
		return
	}
	if a.Override == nil {
		a.Override = &rules.Override{}
	}
	if at.rest[1] == "classification" {
		a.Override.Class = firemode.Class(text(v))
	} else {
		a.Override.Reason = text(v)
	}
}

// reports returns the findings that one live operation reports: a condition that was seen, or a measurement outside a limit
// of one of the checks.
func reports(op *crdt.Op, rule func(firemode.RuleCode) (firemode.Rule, bool), checks []firemode.Check) []finding {
	at := placeOf(op.Path)
	switch {
	case at.field == "conditions" && len(at.rest) == 2:
		count, seen := seenCount(op.Value)
		version, known := rule(firemode.RuleCode(at.rest[0]))
		if !seen || !known {
			return nil
		}
		_, listed := version.Schema.Classifications[at.rest[1]]
		return []finding{{
			rule: version, condition: at.rest[1], count: count, first: op,
			finding: rules.Finding{Condition: at.rest[1]}, unlisted: !listed,
		}}
	case at.field == "measurements" && len(at.rest) == 1 && op.Value.IsNumber():
		return outsideLimits(op, at.rest[0], rule, checks)
	}
	return nil
}

func seenCount(v crdt.Value) (count string, seen bool) {
	if v == "true" {
		return "1", true
	}
	if !v.IsNumber() {
		return "", false
	}
	d, err := rules.ParseDecimal(string(v))
	zero, _ := rules.ParseDecimal("0")
	return string(v), err == nil && d.Cmp(zero) > 0
}

func outsideLimits(op *crdt.Op, measurement string, rule func(firemode.RuleCode) (firemode.Rule, bool), checks []firemode.Check) []finding {
	var found []finding
	for _, c := range checks {
		version, known := rule(c.Rule)
		if !known {
			continue
		}
		i := slices.IndexFunc(version.Schema.Limits, func(l firemode.Limit) bool { return l.Measurement == measurement })
		if i < 0 {
			continue
		}
		f := rules.Finding{Measurement: measurement, Value: string(op.Value), Unit: version.Schema.Limits[i].Unit}
		judged, err := rules.Classify(version, f)
		if err != nil || judged.WithinLimits {
			continue
		}
		found = append(found, finding{rule: version, condition: judged.Condition, count: "1", first: op, finding: rules.Finding{Condition: judged.Condition}})
	}
	return found
}

// assess says how far the record of a listed item is, and what is missing, in words. disputed says that a conflict is open at or below it.
func (r record) assess(checks []firemode.Check, disputed bool) (firemode.ItemState, []string) {
	var missing, open []string
	add := func(problem string) {
		if !slices.Contains(missing, problem) {
			missing = append(missing, problem)
		}
	}
	for _, c := range checks {
		subject := "the item" // whose outcome covers the check
		if r.checks[c.Rule] != "" {
			subject = string(c.Rule)
		}
		switch outcome := r.of(c.Rule); {
		case outcome == "":
			open = append(open, string(c.Rule))
		case outcome == outcomeFail && !r.explains(c.Rule):
			add(subject + " failed without saying what was seen")
		case outcome == outcomeNotTested && strings.TrimSpace(r.reason) == "":
			add(subject + " was not tested, without a reason")
		}
	}
	switch {
	case len(open) == len(checks) && len(checks) > 0:
		missing = append(missing, "no outcome")
	case len(open) > 0:
		missing = append(missing, "no outcome for "+strings.Join(open, ", "))
	}
	for _, f := range r.findings {
		if f.unlisted {
			add(fmt.Sprintf("%s does not know the condition %s", f.rule.Code, f.condition))
		}
	}
	switch {
	case disputed:
		return firemode.ItemDisputed, append(missing, "readings are in dispute")
	case !r.touched:
		return firemode.ItemUntouched, nil
	case len(missing) > 0:
		return firemode.ItemIncomplete, missing
	default:
		return firemode.ItemDone, nil
	}
}

// of returns the outcome of a check: its own, else that of the item.
func (r record) of(rule firemode.RuleCode) string {
	if own := r.checks[rule]; own != "" {
		return own
	}
	return r.outcome
}

// explains reports whether something was seen that explains a failure of rule: under the rule itself, or, where the whole item
// failed, under any of its rules.
func (r record) explains(rule firemode.RuleCode) bool {
	own := r.checks[rule] != ""
	return slices.ContainsFunc(r.findings, func(f finding) bool { return !own || f.rule.Code == rule })
}
