package firemode

import "time"

// Class is the classification of a defect.
type Class string

// The classes of the contract.
const (
	ClassCritical       Class = "critical_defect"
	ClassNonCritical    Class = "non_critical_defect"
	ClassNonConformance Class = "non_conformance"
	ClassNotTested      Class = "not_tested"
	ClassRecommendation Class = "recommendation"
)

// Classes lists every class, worst first.
var Classes = [...]Class{ClassCritical, ClassNonCritical, ClassNonConformance, ClassNotTested, ClassRecommendation}

// Valid reports whether c is one of Classes.
func (c Class) Valid() bool {
	for _, known := range Classes {
		if c == known {
			return true
		}
	}
	return false
}

// Frequency is how often a routine is due.
type Frequency string

// The frequencies, lowest first. A higher one includes the lower; AfterUse is never due by date.
const (
	Weekly           Frequency = "weekly"
	Monthly          Frequency = "monthly"
	ThreeMonthly     Frequency = "three_monthly"
	SixMonthly       Frequency = "six_monthly"
	Yearly           Frequency = "yearly"
	FiveYearly       Frequency = "five_yearly"
	TenYearly        Frequency = "ten_yearly"
	TwentyFiveYearly Frequency = "twenty_five_yearly"
	ThirtyYearly     Frequency = "thirty_yearly"
	AfterUse         Frequency = "after_use"
)

// Frequencies lists every frequency, lowest first, AfterUse last.
var Frequencies = [...]Frequency{
	Weekly, Monthly, ThreeMonthly, SixMonthly, Yearly, FiveYearly, TenYearly, TwentyFiveYearly, ThirtyYearly, AfterUse,
}

// Valid reports whether f is one of Frequencies.
func (f Frequency) Valid() bool { return f.rank() >= 0 }

func (f Frequency) rank() int {
	for i, known := range Frequencies {
		if f == known {
			return i
		}
	}
	return -1
}

// Includes reports whether a visit at frequency f includes the routine that is due at g.
func (f Frequency) Includes(g Frequency) bool {
	if f == AfterUse || g == AfterUse {
		return f == g
	}
	return f.rank() >= g.rank() && g.rank() >= 0
}

// Rule is one version of a rule. It never changes, except that DeactivatedAt can be set once.
type Rule struct {
	Org         OrgID // "" in the shared catalogue
	Code        RuleCode
	Version     string // semantic version: 1.10.0 comes after 1.9.0
	Name        string
	Description string
	System      string // e.g. "FE"
	Standard    string // e.g. "AS1851-2012"
	Section     string // e.g. "10"
	Frequencies []Frequency
	Schema      RuleSchema
	Note        string // provenance and doubts, shown with the rule
	CreatedAt   time.Time
	CreatedBy   UserID
	Creation    []byte
	// DeactivatedAt is when the organisation that reads the rule deactivated it, zero while it is
	// active.
	DeactivatedAt time.Time
}

// ActiveAt reports whether the version existed at t and was not yet deactivated.
func (r Rule) ActiveAt(t time.Time) bool {
	return !r.CreatedAt.After(t) && (r.DeactivatedAt.IsZero() || r.DeactivatedAt.After(t))
}

// RuleSchema is the part of a rule that classifies.
type RuleSchema struct {
	Classifications map[string]Class      // classification_mappings: condition → default class
	Escalations     map[string]Escalation // by condition
	Limits          []Limit
}

// Escalation says to which class the scope can raise a condition, and which answers do so.
type Escalation struct {
	To   Class
	When []ScopeTest // any one of them escalates
	// Unless holds the answers that prevent it, e.g. an alternative in place.
	Unless []ScopeTest
}

// ScopeTest tests one answer about the scope. Input is one of rules.ScopeInputs.
type ScopeTest struct {
	Input   string
	Is      *bool    // for a yes/no input
	AtLeast *float64 // for a number or a fraction
}

// Limit bounds a measurement; outside it Condition holds. Min and Max are decimals in Unit, "" when
// there is none.
type Limit struct {
	Measurement string
	Unit        string
	Min         string
	Max         string
	Condition   string
}
