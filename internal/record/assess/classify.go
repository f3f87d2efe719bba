package assess

import (
	"firemode"
	"firemode/internal/rules"
)

// classify applies the rule of a finding. If the rule cannot use the answers about scope, or the
// override, the finding gets its default class, and the reason says what was wrong. A condition
// that the rule does not know is a recommendation until a person settles it.
func classify(f Finding) firemode.Classification {
	c := firemode.Classification{Rule: f.Rule.Code, Version: f.Rule.Version}
	result, err := rules.Classify(f.Rule, f.Input)
	if err != nil && !f.UnknownCondition {
		c.Reason = err.Error()
		result, err = rules.Classify(f.Rule, rules.Finding{Condition: f.Condition})
	}
	if err != nil {
		c.Class, c.Default, c.Basis = firemode.ClassRecommendation, firemode.ClassRecommendation, rules.BasisDefault
		c.Reason = "the rule does not know this condition"
		return c
	}
	c.Class, c.Default, c.Basis = result.Class, result.Default, result.Basis
	if c.Reason == "" {
		c.Reason = result.Reason
	}
	return c
}

// SameClassification reports whether two classifications say the same. When and in which
// transaction they were made does not count.
func SameClassification(a, b firemode.Classification) bool {
	return a.Class == b.Class && a.Default == b.Default && a.Basis == b.Basis && a.Reason == b.Reason &&
		a.Version == b.Version
}
