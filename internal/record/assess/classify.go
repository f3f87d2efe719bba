package assess

import (
	"firemode"
	"firemode/internal/rules"
)

// Classify applies the rule. Answers that the rule cannot use do not hide the finding: it then has its default class, and
// the reason says what was wrong. A condition that the rule does not know is a recommendation until somebody settles it.
func Classify(f Finding) firemode.Classification {
	c := firemode.Classification{Rule: f.Rule.Code, Version: f.Rule.Version}
	judged, err := rules.Classify(f.Rule, f.Ask)
	if err != nil && !f.Unlisted {
		c.Reason = err.Error()
		judged, err = rules.Classify(f.Rule, rules.Finding{Condition: f.Condition})
	}
	if err != nil {
		c.Class, c.Default, c.Basis = firemode.ClassRecommendation, firemode.ClassRecommendation, rules.BasisDefault
		c.Reason = "the rule does not know this condition"
		return c
	}
	c.Class, c.Default, c.Basis = judged.Class, judged.Default, judged.Basis
	if c.Reason == "" {
		c.Reason = judged.Reason
	}
	return c
}

func SameClassification(a, b firemode.Classification) bool {
	return a.Class == b.Class && a.Default == b.Default && a.Basis == b.Basis && a.Reason == b.Reason && a.Version == b.Version
}
