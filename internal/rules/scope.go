package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"firemode"
	"firemode/internal/decimal"
)

// ScopeKind is the type of the answer to a scope input.
type ScopeKind string

// The kinds of scope inputs.
const (
	ScopeYesNo    ScopeKind = "yes_no"   // true or false
	ScopeFraction ScopeKind = "fraction" // a number from 0 to 1
	ScopeCount    ScopeKind = "count"    // a whole number from 0
)

// ScopeInput is a question whose answer can raise the class of a condition.
type ScopeInput struct {
	Name     string
	Kind     ScopeKind
	Question string
}

var scopeInputs = [...]ScopeInput{
	{"system_inoperative", ScopeYesNo, "Would the system, or a whole part of it, fail to work if a fire started now?"},
	{"only_unit_in_area", ScopeYesNo, "Is this the only unit that protects the area or the hazard?"},
	{
		"fraction_of_population_affected", ScopeFraction,
		"Which share of the units in the area is affected, from 0 to 1?",
	},
	{"sleeping_occupancy", ScopeYesNo, "Do people sleep in the part of the building that is affected?"},
	{"alternative_in_place", ScopeYesNo, "Is an alternative in place that does the same job meanwhile?"},
	{"repeat_count", ScopeCount, "How often was it found before without having been rectified?"},
}

// ScopeInputs lists the known inputs, in the order in which to ask.
func ScopeInputs() []ScopeInput { return slices.Clone(scopeInputs[:]) }

// Scope holds answers by name of input: a bool, or a number as json.Number, float64 or int. An
// absent answer escalates nothing.
type Scope map[string]any

// answers are the answers of a Scope, checked.
type answers map[string]answer

type answer struct {
	yes    bool
	number decimal.Decimal
	text   string // as the user gave it, e.g. "true" or "0.5"
}

// checkScope returns s as answers, or the details of what is wrong with it. They are named
// field.input.
func checkScope(field string, s Scope) (answers, []firemode.Detail) {
	if len(s) == 0 {
		return nil, nil
	}
	checked := make(answers, len(s))
	var wrong []firemode.Detail
	for _, name := range sortedKeys(s) {
		a, err := readAnswer(name, s[name])
		if err != nil {
			wrong = append(wrong, firemode.Detail{Field: field + "." + name, Reason: err.Error()})
			continue
		}
		checked[name] = a
	}
	return checked, wrong
}

func readAnswer(name string, value any) (answer, error) {
	input, known := inputByName(name)
	if !known {
		return answer{}, fmt.Errorf("is not known; known are %s", strings.Join(inputNames(), ", "))
	}
	if input.Kind == ScopeYesNo {
		yes, ok := value.(bool)
		if !ok {
			return answer{}, fmt.Errorf("must be true or false")
		}
		return answer{yes: yes, text: strconv.FormatBool(yes)}, nil
	}
	text, ok := numberText(value)
	number, err := ParseDecimal(text)
	if !ok || err != nil || !input.Kind.admits(number) {
		return answer{}, fmt.Errorf("must be %s", input.Kind.words())
	}
	return answer{number: number, text: text}, nil
}

// numberText returns a number as it was written. The shortest form of a float64 is what was
// written, to 15 digits.
func numberText(value any) (text string, ok bool) {
	switch v := value.(type) {
	case json.Number:
		return v.String(), true
	case float64:
		return floatText(v), true
	case int:
		return strconv.Itoa(v), true
	}
	return "", false
}

func floatText(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func (k ScopeKind) admits(d decimal.Decimal) bool {
	switch k {
	case ScopeFraction:
		one, err := decimal.Parse("1")
		return err == nil && d.Sign() >= 0 && d.Cmp(one) <= 0
	case ScopeCount:
		return d.Sign() >= 0 && d.IsInt()
	}
	return false
}

func (k ScopeKind) words() string {
	switch k {
	case ScopeFraction:
		return "a number from 0 to 1"
	case ScopeCount:
		return "a whole number from 0"
	}
	return "true or false"
}

// holds reports whether the answers pass the test. The test is of a valid rule.
func (as answers) holds(test firemode.ScopeTest) bool {
	a, given := as[test.Input]
	switch {
	case !given:
		return false
	case test.Is != nil:
		return a.yes == *test.Is
	case test.AtLeast != nil:
		bound, err := ParseDecimal(floatText(*test.AtLeast))
		return err == nil && a.number.Cmp(bound) >= 0
	}
	return false
}

// first returns the first of tests that the answers pass, in words such as "only_unit_in_area:
// true".
func (as answers) first(tests []firemode.ScopeTest) (words string, found bool) {
	for _, test := range tests {
		if as.holds(test) {
			return test.Input + ": " + as[test.Input].text, true
		}
	}
	return "", false
}

func inputByName(name string) (ScopeInput, bool) {
	for _, in := range scopeInputs {
		if in.Name == name {
			return in, true
		}
	}
	return ScopeInput{}, false
}

func inputNames() []string {
	names := make([]string, len(scopeInputs))
	for i, in := range scopeInputs {
		names[i] = in.Name
	}
	return names
}
