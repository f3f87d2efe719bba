package assess

import (
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
)

// Finding is one condition that was seen, or measured. It becomes a defect.
type Finding struct {
	Rule             firemode.Rule
	Condition        string
	Count            string   // how many, "1" for true
	First            *crdt.Op // the live sibling with the earliest effective time that reports it
	Input            rules.Finding
	UnknownCondition bool // the rule does not know the condition, so it cannot be classified
}

// findingsOf returns the findings that one live operation reports: a condition that was seen, or a
// measurement outside a limit of one of the checks.
func findingsOf(op *crdt.Op, rule RuleLookup, checks []firemode.Check) []Finding {
	at := ParsePath(op.Path)
	switch {
	case at.Field == "conditions" && len(at.Rest) == 2:
		count, seen := countOf(op.Value)
		version, known := rule(firemode.RuleCode(at.Rest[0]))
		if !seen || !known {
			return nil
		}
		_, listed := version.Schema.Classifications[at.Rest[1]]
		return []Finding{{
			Rule: version, Condition: at.Rest[1], Count: count, First: op,
			Input: rules.Finding{Condition: at.Rest[1]}, UnknownCondition: !listed,
		}}
	case at.Field == "measurements" && len(at.Rest) == 1 && op.Value.IsNumber():
		return outsideLimits(op, at.Rest[0], rule, checks)
	}
	return nil
}

// countOf returns how often a condition was seen: true is once, a number must be greater than 0.
func countOf(v crdt.Value) (count string, seen bool) {
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

func outsideLimits(op *crdt.Op, measurement string, rule RuleLookup, checks []firemode.Check) []Finding {
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
		unit := version.Schema.Limits[i].Unit
		result, err := rules.Classify(version, rules.Finding{Measurement: measurement, Value: string(op.Value), Unit: unit})
		if err != nil || result.WithinLimits {
			continue
		}
		found = append(found, Finding{
			Rule: version, Condition: result.Condition, Count: "1", First: op,
			Input: rules.Finding{Condition: result.Condition},
		})
	}
	return found
}

// sums returns a function that replaces the value of an operation by the sum at its path, where
// increments are live: no one has seen a single term alone. It must be called with the operations
// of one path one after the other.
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
