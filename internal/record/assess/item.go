package assess

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

// Record is what the document says about one item, taken apart.
type Record struct {
	Outcome  string                       // of the item as a whole
	Checks   map[firemode.RuleCode]string // outcomes of single checks
	Reason   string
	Findings []Finding
	Touched  bool // something but removals is live at or below the item
}

// Finding is one thing seen: it becomes a defect.
type Finding struct {
	Rule      firemode.Rule
	Condition string
	Count     string   // how many, "1" for true
	First     *crdt.Op // the first live sibling that reports it
	Ask       rules.Finding
	Unlisted  bool // the rule does not know the condition, so it cannot be judged
}

// Read takes apart what st shows about an item. rule finds the version by which a check is judged.
func Read(st *crdt.State, item firemode.ItemID, rule func(firemode.RuleCode) (firemode.Rule, bool), checks []firemode.Check) Record {
	r := Record{Checks: map[firemode.RuleCode]string{}}
	top := ItemPath(item)
	answers := map[firemode.RuleCode]*rules.Finding{}
	for _, reading := range st.Readings(top) {
		at := PlaceOf(reading.Path)
		switch {
		case at.Field == "outcome" && len(at.Rest) == 0 && isOutcome(reading.Value):
			r.Outcome = Text(reading.Value)
		case at.Field == "reason" && len(at.Rest) == 0:
			r.Reason = Text(reading.Value)
		case at.Field == "checks" && len(at.Rest) == 1 && isOutcome(reading.Value):
			r.Checks[firemode.RuleCode(at.Rest[0])] = Text(reading.Value)
		case (at.Field == "scope" || at.Field == "override") && len(at.Rest) == 2:
			answer(answers, at, reading.Value)
		}
	}
	found := map[string]*Finding{}
	summed := sums(st)
	st.EachLive(top, func(op *crdt.Op) {
		r.Touched = r.Touched || op.Kind != crdt.Remove
		for _, f := range reports(summed(op), rule, checks) {
			key := string(f.Rule.Code) + "\x00" + f.Condition
			if known := found[key]; known == nil || op.Time < known.First.Time {
				found[key] = &f
			}
		}
	})
	for _, key := range slices.Sorted(maps.Keys(found)) {
		f := found[key]
		if a := answers[f.Rule.Code]; a != nil {
			f.Ask.Scope, f.Ask.Override = a.Scope, a.Override
		}
		r.Findings = append(r.Findings, *f)
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
func answer(answers map[firemode.RuleCode]*rules.Finding, at Place, v crdt.Value) {
	code := firemode.RuleCode(at.Rest[0])
	if answers[code] == nil {
		answers[code] = &rules.Finding{Scope: rules.Scope{}}
	}
	a := answers[code]
	if at.Field == "scope" {
		switch {
		case v.IsNumber():
			a.Scope[at.Rest[1]] = json.Number(v)
		case v == "true" || v == "false":
			a.Scope[at.Rest[1]] = v == "true"
		}
		return
	}
	if a.Override == nil {
		a.Override = &rules.Override{}
	}
	if at.Rest[1] == "classification" {
		a.Override.Class = firemode.Class(Text(v))
	} else {
		a.Override.Reason = Text(v)
	}
}

// reports returns the findings that one live operation reports: a condition that was seen, or a measurement outside a limit
// of one of the checks.
func reports(op *crdt.Op, rule func(firemode.RuleCode) (firemode.Rule, bool), checks []firemode.Check) []Finding {
	at := PlaceOf(op.Path)
	switch {
	case at.Field == "conditions" && len(at.Rest) == 2:
		count, seen := seenCount(op.Value)
		version, known := rule(firemode.RuleCode(at.Rest[0]))
		if !seen || !known {
			return nil
		}
		_, listed := version.Schema.Classifications[at.Rest[1]]
		return []Finding{{
			Rule: version, Condition: at.Rest[1], Count: count, First: op,
			Ask: rules.Finding{Condition: at.Rest[1]}, Unlisted: !listed,
		}}
	case at.Field == "measurements" && len(at.Rest) == 1 && op.Value.IsNumber():
		return outsideLimits(op, at.Rest[0], rule, checks)
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

func outsideLimits(op *crdt.Op, measurement string, rule func(firemode.RuleCode) (firemode.Rule, bool), checks []firemode.Check) []Finding {
	var found []Finding
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
		found = append(found, Finding{Rule: version, Condition: judged.Condition, Count: "1", First: op, Ask: rules.Finding{Condition: judged.Condition}})
	}
	return found
}

// Assess says how far the record of a listed item is, and what is missing, in words. disputed says that a conflict is open at or below it.
func (r Record) Assess(checks []firemode.Check, disputed bool) (firemode.ItemState, []string) {
	var missing, open []string
	add := func(problem string) {
		if !slices.Contains(missing, problem) {
			missing = append(missing, problem)
		}
	}
	for _, c := range checks {
		subject := "the item" // whose outcome covers the check
		if r.Checks[c.Rule] != "" {
			subject = string(c.Rule)
		}
		switch outcome := r.of(c.Rule); {
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
		if f.Unlisted {
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

// of returns the outcome of a check: its own, else that of the item.
func (r Record) of(rule firemode.RuleCode) string {
	if own := r.Checks[rule]; own != "" {
		return own
	}
	return r.Outcome
}

// explains reports whether something was seen that explains a failure of rule: under the rule itself, or, where the whole item
// failed, under any of its rules.
func (r Record) explains(rule firemode.RuleCode) bool {
	own := r.Checks[rule] != ""
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return !own || f.Rule.Code == rule })
}
