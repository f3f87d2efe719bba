package rules

import (
	stdjson "encoding/json"
	"strings"

	"github.com/go-json-experiment/json"

	"firemode"
)

// Document is a rule as JSON: what the API takes and gives, and what a catalogue file holds.
// Numbers are kept as they are written.
type Document struct {
	RuleCode    string               `json:"rule_code"`
	Version     string               `json:"version"`
	RuleName    string               `json:"rule_name"`
	Description string               `json:"description,omitempty"`
	System      string               `json:"system,omitempty"`
	Standard    string               `json:"standard,omitempty"`
	Section     string               `json:"section,omitempty"`
	Frequencies []firemode.Frequency `json:"frequencies,omitempty"`
	Note        string               `json:"note,omitempty"`
	Schema      SchemaDocument       `json:"rule_schema"`
}

// SchemaDocument is the judging part of a Document.
type SchemaDocument struct {
	Classifications map[string]firemode.Class     `json:"classification_mappings"`
	Escalations     map[string]EscalationDocument `json:"escalations,omitempty"`
	Limits          []LimitDocument               `json:"limits,omitempty"`
}

// EscalationDocument says which answers raise a condition to To, and which prevent it. A test is
// true or false for a yes/no input, {"at_least": number} for the others; see ScopeInputs.
type EscalationDocument struct {
	To     firemode.Class                `json:"to"`
	When   map[string]stdjson.RawMessage `json:"when"`
	Unless map[string]stdjson.RawMessage `json:"unless,omitempty"`
}

// LimitDocument bounds a measurement. Min and Max are JSON numbers; one of them may be absent.
type LimitDocument struct {
	Measurement string             `json:"measurement"`
	Unit        string             `json:"unit"`
	Min         stdjson.RawMessage `json:"min,omitzero"`
	Max         stdjson.RawMessage `json:"max,omitzero"`
	Condition   string             `json:"condition"`
}

// ParseRule reads one Document as JSON into a valid rule. It is firemode.CodeMalformed if data is
// not JSON and firemode.CodeInvalid, naming the fields, if it is not a rule.
func ParseRule(data []byte) (firemode.Rule, error) {
	var d Document
	if err := decode(data, &d); err != nil {
		return firemode.Rule{}, err
	}
	return d.Rule()
}

// Rule returns d as a valid rule, without what a store adds: organisation, times and who made it.
// It is firemode.CodeInvalid, naming the fields, if d is not one.
func (d Document) Rule() (firemode.Rule, error) {
	r := firemode.Rule{
		Code:        firemode.RuleCode(d.RuleCode),
		Version:     d.Version,
		Name:        d.RuleName,
		Description: d.Description,
		System:      d.System,
		Standard:    d.Standard,
		Section:     d.Section,
		Frequencies: d.Frequencies,
		Note:        d.Note,
	}
	var wrong []firemode.Detail
	r.Schema, wrong = d.Schema.schema()
	wrong = append(wrong, check(r)...)
	if len(wrong) > 0 {
		return firemode.Rule{}, invalid(wrong)
	}
	r.Creation = Fingerprint(r)
	return r, nil
}

// schema converts d; it reports only what a firemode.RuleSchema cannot hold, the rest is check's
// part.
func (d SchemaDocument) schema() (firemode.RuleSchema, []firemode.Detail) {
	s := firemode.RuleSchema{Classifications: d.Classifications}
	var wrong []firemode.Detail
	for _, condition := range sortedKeys(d.Escalations) {
		e := d.Escalations[condition]
		field := "rule_schema.escalations." + firemode.Clip(condition)
		when, wrongWhen := scopeTests(field+".when", e.When)
		unless, wrongUnless := scopeTests(field+".unless", e.Unless)
		wrong = append(append(wrong, wrongWhen...), wrongUnless...)
		if s.Escalations == nil {
			s.Escalations = map[string]firemode.Escalation{}
		}
		s.Escalations[condition] = firemode.Escalation{To: e.To, When: when, Unless: unless}
	}
	for _, l := range d.Limits {
		s.Limits = append(s.Limits, firemode.Limit{
			Measurement: l.Measurement, Unit: l.Unit, Condition: l.Condition,
			Min: boundText(l.Min), Max: boundText(l.Max),
		})
	}
	return s, wrong
}

func scopeTests(field string, tests map[string]stdjson.RawMessage) ([]firemode.ScopeTest, []firemode.Detail) {
	var out []firemode.ScopeTest
	var wrong []firemode.Detail
	for _, input := range sortedKeys(tests) {
		test := firemode.ScopeTest{Input: input}
		var number struct {
			AtLeast *float64 `json:"at_least"`
		}
		if json.Unmarshal(tests[input], &test.Is) != nil || test.Is == nil {
			err := json.Unmarshal(tests[input], &number, json.RejectUnknownMembers(true))
			if err != nil || number.AtLeast == nil {
				wrong = append(wrong, firemode.Detail{
					Field:  field + "." + firemode.Clip(input),
					Reason: `must be true, false or {"at_least": number}`,
				})
				continue
			}
			test.Is, test.AtLeast = nil, number.AtLeast
		}
		out = append(out, test)
	}
	return out, wrong
}

// boundText is the number as written, "" for none. What is no number is kept, for check to refuse.
func boundText(raw stdjson.RawMessage) string {
	if text := strings.TrimSpace(string(raw)); text != "null" {
		return text
	}
	return ""
}

func boundDocument(text string) stdjson.RawMessage {
	if text == "" {
		return nil
	}
	return stdjson.RawMessage(text)
}

// NewDocument returns r, which must be valid, as it is written in JSON.
func NewDocument(r firemode.Rule) Document {
	d := Document{
		RuleCode:    string(r.Code),
		Version:     r.Version,
		RuleName:    r.Name,
		Description: r.Description,
		System:      r.System,
		Standard:    r.Standard,
		Section:     r.Section,
		Frequencies: r.Frequencies,
		Note:        r.Note,
		Schema:      SchemaDocument{Classifications: r.Schema.Classifications},
	}
	for condition, e := range r.Schema.Escalations {
		if d.Schema.Escalations == nil {
			d.Schema.Escalations = map[string]EscalationDocument{}
		}
		d.Schema.Escalations[condition] = EscalationDocument{
			To: e.To, When: testDocuments(e.When),
			Unless: testDocuments(e.Unless),
		}
	}
	for _, l := range r.Schema.Limits {
		d.Schema.Limits = append(d.Schema.Limits, LimitDocument{
			Measurement: l.Measurement, Unit: l.Unit, Condition: l.Condition,
			Min: boundDocument(l.Min), Max: boundDocument(l.Max),
		})
	}
	return d
}

func testDocuments(tests []firemode.ScopeTest) map[string]stdjson.RawMessage {
	if len(tests) == 0 {
		return nil
	}
	out := make(map[string]stdjson.RawMessage, len(tests))
	for _, test := range tests {
		switch {
		case test.Is != nil && *test.Is:
			out[test.Input] = stdjson.RawMessage("true")
		case test.Is != nil:
			out[test.Input] = stdjson.RawMessage("false")
		case test.AtLeast != nil:
			out[test.Input] = stdjson.RawMessage(`{"at_least": ` + floatText(*test.AtLeast) + `}`)
		}
	}
	return out
}
