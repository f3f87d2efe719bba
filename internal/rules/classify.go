package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/decimal"
)

// Finding is what was seen: a Condition, or in its place a Measurement with Value and Unit.
type Finding struct {
	Condition   string
	Measurement string
	Value       string // a decimal, as it was written
	Unit        string
	Scope       Scope
	Override    *Override
}

// Override is a person's classification, used instead of the rule's.
type Override struct {
	Class  firemode.Class
	Reason string // required
}

// MaxReason is the greatest number of bytes of an override's reason.
const MaxReason = 2000

// The bases of a classification.
const (
	BasisDefault   = "default"
	BasisEscalated = "escalated"
	BasisOverride  = "override"
)

// Classification is the class of a finding and its basis.
type Classification struct {
	Class        firemode.Class // "" when WithinLimits
	Default      firemode.Class // what the rule says without scope and override; "" when WithinLimits
	Condition    string         // the condition classified; for a measurement the condition of the limit that it breaks
	Basis        string         // one of the Basis constants; "" when WithinLimits
	Reason       string         // the scope answers that escalated, or the reason of the override
	WithinLimits bool
}

// Classify applies r, which must be valid, to f. It returns firemode.CodeInvalid, naming the field,
// if r does not cover f: an unknown condition or measurement (with the known ones), another unit
// (with the limit's), an unknown or mistyped scope answer, an override without a class or a reason.
func Classify(r firemode.Rule, f Finding) (Classification, error) {
	given, wrong := checkScope("scope", f.Scope)
	wrong = append(wrong, checkOverride(f.Override)...)
	if len(wrong) > 0 {
		return Classification{}, invalid(wrong)
	}
	condition, err := conditionOf(r, f)
	if err != nil {
		return Classification{}, err
	}
	if condition == "" {
		return withinLimits(f)
	}
	j := Classification{Condition: condition, Default: r.Schema.Classifications[condition], Basis: BasisDefault}
	j.Class = j.Default
	if to, reason, raised := escalate(r.Schema.Escalations[condition], given); raised {
		j.Class, j.Basis, j.Reason = worse(to, j.Class), BasisEscalated, reason
	}
	if f.Override != nil {
		j.Class, j.Basis, j.Reason = f.Override.Class, BasisOverride, strings.TrimSpace(f.Override.Reason)
	}
	return j, nil
}

// withinLimits returns the classification of a reading within its limits, which an override cannot
// reclassify.
func withinLimits(f Finding) (Classification, error) {
	if f.Override != nil {
		return Classification{}, firemode.InvalidField("override",
			"%s %s %s is within its limits; name the condition that was observed instead",
			f.Measurement, f.Value, f.Unit)
	}
	return Classification{WithinLimits: true}, nil
}

func escalate(e firemode.Escalation, given answers) (to firemode.Class, reason string, raised bool) {
	if len(given) == 0 {
		return "", "", false
	}
	if _, prevented := given.first(e.Unless); prevented {
		return "", "", false
	}
	reason, raised = given.first(e.When)
	return e.To, reason, raised
}

// conditionOf returns the condition that f reports, "" for a reading within its limits.
func conditionOf(r firemode.Rule, f Finding) (string, error) {
	switch {
	case f.Condition != "" && f.Measurement != "":
		return "", firemode.InvalidField("measurement", "give either observed_condition or measurement, not both")
	case f.Measurement != "":
		return measure(r, f)
	case f.Condition == "":
		return "", firemode.InvalidField("observed_condition", "is required; %s knows %s", r.Code, knownConditions(r))
	}
	if _, known := r.Schema.Classifications[f.Condition]; !known {
		return "", firemode.InvalidField("observed_condition", "%q is not known; %s %s knows %s",
			firemode.Clip(f.Condition), r.Code, r.Version, knownConditions(r))
	}
	return f.Condition, nil
}

func measure(r firemode.Rule, f Finding) (string, error) {
	value, err := ParseDecimal(f.Value)
	if err != nil {
		return "", firemode.InvalidField("value", "%s", err)
	}
	known := false
	for _, l := range r.Schema.Limits {
		if l.Measurement != f.Measurement {
			continue
		}
		known = true
		if f.Unit != l.Unit {
			return "", firemode.InvalidField("unit", "%s is measured in %s", l.Measurement, l.Unit)
		}
		if outside(value, l) {
			return l.Condition, nil
		}
	}
	if !known {
		return "", firemode.InvalidField("measurement", "%q is not known; %s %s has limits for %s",
			firemode.Clip(f.Measurement), r.Code, r.Version, knownMeasurements(r))
	}
	return "", nil
}

func outside(value decimal.Decimal, l firemode.Limit) bool {
	lowest, errMin := ParseDecimal(l.Min)
	highest, errMax := ParseDecimal(l.Max)
	return errMin == nil && value.Cmp(lowest) < 0 || errMax == nil && value.Cmp(highest) > 0
}

func checkOverride(o *Override) []firemode.Detail {
	if o == nil {
		return nil
	}
	var wrong []firemode.Detail
	if !o.Class.Valid() {
		wrong = append(wrong, firemode.Detail{
			Field:  "override.classification",
			Reason: "must be one of " + classWords(),
		})
	}
	switch reason := strings.TrimSpace(o.Reason); {
	case reason == "":
		wrong = append(wrong, firemode.Detail{Field: "override.reason", Reason: "is required"})
	case len(reason) > MaxReason:
		wrong = append(wrong, firemode.Detail{
			Field:  "override.reason",
			Reason: fmt.Sprintf("is longer than %d bytes", MaxReason),
		})
	}
	return wrong
}

// worse returns the graver of two classes.
func worse(a, b firemode.Class) firemode.Class {
	if slices.Index(firemode.Classes[:], a) < slices.Index(firemode.Classes[:], b) {
		return a
	}
	return b
}

func classWords() string {
	words := make([]string, len(firemode.Classes))
	for i, c := range firemode.Classes {
		words[i] = string(c)
	}
	return strings.Join(words, ", ")
}

func knownConditions(r firemode.Rule) string {
	return strings.Join(sortedKeys(r.Schema.Classifications), ", ")
}

func knownMeasurements(r firemode.Rule) string {
	if len(r.Schema.Limits) == 0 {
		return "nothing: name the condition that was observed"
	}
	names := map[string]bool{}
	for _, l := range r.Schema.Limits {
		names[l.Measurement] = true
	}
	return strings.Join(sortedKeys(names), ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// invalid is an Invalid error about the details, in which there is at least one.
func invalid(wrong []firemode.Detail) error {
	return firemode.Invalid(wrong[0].Field+": "+wrong[0].Reason, wrong...)
}
