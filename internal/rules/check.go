package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"firemode"
)

// Bounds of a rule.
const (
	MaxName       = 200  // bytes of rule_name, system, standard and section
	MaxText       = 4000 // bytes of description and note
	MaxConditions = 200  // conditions, and limits, of one rule
	MaxUnit       = 32   // bytes
)

// Check reports what is wrong with r, as firemode.CodeInvalid with a detail for each field; nil if
// r is a valid rule.
func Check(r firemode.Rule) error {
	if wrong := check(r); len(wrong) > 0 {
		return invalid(wrong)
	}
	return nil
}

// checker collects what is wrong.
type checker []firemode.Detail

func (c *checker) require(ok bool, field, reason string, args ...any) {
	if !ok {
		*c = append(*c, firemode.Detail{Field: field, Reason: fmt.Sprintf(reason, args...)})
	}
}

func check(r firemode.Rule) []firemode.Detail {
	var c checker
	c.require(firemode.ValidRuleCode(string(r.Code)), "rule_code",
		"must be 1 to 64 of the characters A-Z a-z 0-9 _ - .")
	c.require(ValidVersion(r.Version), "version", "must be a semantic version such as 1.10.0, of at most %d bytes",
		MaxVersionLength)
	c.require(strings.TrimSpace(r.Name) != "", "rule_name", "is required")
	for _, f := range []struct {
		field, text string
		most        int
	}{
		{"rule_name", r.Name, MaxName},
		{"description", r.Description, MaxText},
		{"system", r.System, MaxName},
		{"standard", r.Standard, MaxName},
		{"section", r.Section, MaxName},
		{"note", r.Note, MaxText},
	} {
		c.require(len(f.text) <= f.most, f.field, "is longer than %d bytes", f.most)
	}
	for i, f := range r.Frequencies {
		field := fmt.Sprintf("frequencies[%d]", i)
		c.require(f.Valid(), field, "must be one of %s", frequencyWords())
		c.require(!slices.Contains(r.Frequencies[:i], f), field, "is given twice")
	}
	c.checkSchema(r.Schema)
	return c
}

func (c *checker) checkSchema(s firemode.RuleSchema) {
	const field = "rule_schema.classification_mappings"
	c.require(len(s.Classifications) > 0, field, "must map at least one condition to a class")
	c.require(len(s.Classifications) <= MaxConditions, field, "holds more than %d conditions", MaxConditions)
	for _, condition := range sortedKeys(s.Classifications) {
		at := field + "." + firemode.Clip(condition)
		c.require(firemode.ValidID(condition), at, "a condition is 1 to 64 of the characters A-Z a-z 0-9 _ -")
		c.require(s.Classifications[condition].Valid(), at, "must be one of %s", classWords())
	}
	for _, condition := range sortedKeys(s.Escalations) {
		c.checkEscalation(s, condition)
	}
	c.require(len(s.Limits) <= MaxConditions, "rule_schema.limits", "holds more than %d limits", MaxConditions)
	units := map[string]string{}
	for i, l := range s.Limits {
		at := fmt.Sprintf("rule_schema.limits[%d]", i)
		c.checkLimit(s, at, l)
		if unit, seen := units[l.Measurement]; seen {
			c.require(unit == l.Unit, at+".unit", "another limit of %s is in %s", firemode.Clip(l.Measurement), unit)
		}
		units[l.Measurement] = l.Unit
	}
}

func (c *checker) checkEscalation(s firemode.RuleSchema, condition string) {
	at := "rule_schema.escalations." + firemode.Clip(condition)
	e := s.Escalations[condition]
	from, known := s.Classifications[condition]
	c.require(known, at, "is no condition of classification_mappings")
	c.require(e.To.Valid(), at+".to", "must be one of %s", classWords())
	if known && from.Valid() && e.To.Valid() {
		c.require(e.To != from && worse(e.To, from) == e.To, at+".to", "must be worse than %s", from)
	}
	c.require(len(e.When) > 0, at+".when", "must hold at least one test")
	c.checkTests(at+".when", e.When)
	c.checkTests(at+".unless", e.Unless)
}

func (c *checker) checkTests(at string, tests []firemode.ScopeTest) {
	for i, test := range tests {
		field := at + "." + firemode.Clip(test.Input)
		input, known := inputByName(test.Input)
		c.require(known, field, "is not known; known are %s", strings.Join(inputNames(), ", "))
		c.require(!slices.ContainsFunc(tests[:i], func(t firemode.ScopeTest) bool { return t.Input == test.Input }),
			field, "is given twice")
		switch {
		case !known:
		case input.Kind == ScopeYesNo:
			c.require(test.Is != nil && test.AtLeast == nil, field, "must be true or false")
		default:
			c.require(test.Is == nil && test.AtLeast != nil && admitsFloat(input.Kind, *test.AtLeast), field,
				`must be {"at_least": %s}`, input.Kind.words())
		}
	}
}

func admitsFloat(k ScopeKind, f float64) bool {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return false
	}
	d, err := ParseDecimal(floatText(f))
	return err == nil && k.admits(d)
}

func (c *checker) checkLimit(s firemode.RuleSchema, at string, l firemode.Limit) {
	c.require(firemode.ValidID(l.Measurement), at+".measurement", "must be 1 to 64 of the characters A-Z a-z 0-9 _ -")
	c.require(strings.TrimSpace(l.Unit) != "", at+".unit", "is required")
	c.require(len(l.Unit) <= MaxUnit, at+".unit", "is longer than %d bytes", MaxUnit)
	_, known := s.Classifications[l.Condition]
	c.require(known, at+".condition", "is no condition of classification_mappings")
	c.require(l.Min != "" || l.Max != "", at, "needs min or max")
	lowest, errMin := ParseDecimal(l.Min)
	highest, errMax := ParseDecimal(l.Max)
	c.require(l.Min == "" || errMin == nil, at+".min", "%s", errNotDecimal)
	c.require(l.Max == "" || errMax == nil, at+".max", "%s", errNotDecimal)
	if l.Min != "" && l.Max != "" && errMin == nil && errMax == nil {
		c.require(lowest.Cmp(highest) <= 0, at+".min", "is greater than max")
	}
}

func frequencyWords() string {
	words := make([]string, len(firemode.Frequencies))
	for i, f := range firemode.Frequencies {
		words[i] = string(f)
	}
	return strings.Join(words, ", ")
}
