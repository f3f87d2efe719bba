package client

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// Rule is one version of a rule. A version never changes; it can only be deactivated.
type Rule struct {
	Code          firemode.RuleCode    `json:"rule_code"`
	Version       string               `json:"version"` // semantic version
	Name          string               `json:"rule_name"`
	Description   string               `json:"description"`
	System        string               `json:"system"`
	Standard      string               `json:"standard"`
	Section       string               `json:"section"` // of the standard
	Frequencies   []firemode.Frequency `json:"frequencies"`
	Note          string               `json:"note"`
	Schema        RuleSchema           `json:"rule_schema"`
	Active        bool                 `json:"active"` // in use by the organisation
	Shared        bool                 `json:"shared"` // part of the catalogue that FireMode ships
	CreatedAt     time.Time            `json:"created_at"`
	DeactivatedAt time.Time            `json:"deactivated_at"`
}

// RuleSchema is the part of a rule that classifies.
type RuleSchema struct {
	Classifications map[string]firemode.Class `json:"classification_mappings"` // by condition
	Escalations     map[string]Escalation     `json:"escalations"`             // by condition
	Limits          []Limit                   `json:"limits"`
}

// Escalation lists the scope answers that raise a condition to another class, and those that
// prevent it. An answer is true or false, or {"at_least": number}.
type Escalation struct {
	To     firemode.Class            `json:"to"`
	When   map[string]jsontext.Value `json:"when"`
	Unless map[string]jsontext.Value `json:"unless"`
}

// Limit bounds a measurement. Min and Max are numbers; one of them may be absent.
type Limit struct {
	Measurement string         `json:"measurement"`
	Unit        string         `json:"unit"`
	Min         jsontext.Value `json:"min"`
	Max         jsontext.Value `json:"max"`
	Condition   string         `json:"condition"` // what a reading outside the limit means
}

// RuleFilter narrows a list of rules; an empty field matches everything.
type RuleFilter struct {
	System    string
	Frequency firemode.Frequency
	Text      string // part of code, name, description or a condition, in any case
}

// Finding is an observation to classify: a condition, or a measurement with value and unit.
type Finding struct {
	Code        firemode.RuleCode `json:"item_code"`
	Condition   string            `json:"observed_condition,omitzero"`
	Measurement string            `json:"measurement,omitzero"`
	Value       jsontext.Value    `json:"value,omitzero"` // a number
	Unit        string            `json:"unit,omitzero"`
	Scope       Scope             `json:"scope,omitzero"`
	Override    *Override         `json:"override,omitzero"`
}

// Scope holds the answers to the scope questions of a rule, by name: a bool or a number each.
type Scope map[string]any

// Override is the class that a person decides instead of the rule. Both fields are required.
type Override struct {
	Class  firemode.Class `json:"classification"`
	Reason string         `json:"reason"`
}

// Classified is the class of a finding and how it came about. Class and Default are "" within
// limits.
type Classified struct {
	Class        firemode.Class    `json:"classification"`
	Default      firemode.Class    `json:"default_classification"`
	WithinLimits bool              `json:"within_limits"`
	Condition    string            `json:"condition"`
	Basis        string            `json:"basis"` // "default", "escalated" or "override"
	Reason       string            `json:"reason"`
	Rule         firemode.RuleCode `json:"rule_applied"`
	Version      string            `json:"version_applied"`
	AuditID      firemode.AuditID  `json:"audit_log_id"`
}

// Rules lists the versions in force, by code.
func (c *Client) Rules(ctx context.Context, f RuleFilter) iter.Seq2[Rule, error] {
	return list[Rule](ctx, c, path("rules"), values("system", f.System, "frequency", string(f.Frequency), "q", f.Text))
}

// Rule returns the version in force.
func (c *Client) Rule(ctx context.Context, code firemode.RuleCode) (r Rule, err error) {
	_, err = c.do(ctx, get(path("rules", string(code)), nil), &r)
	return r, err
}

// RuleVersion returns one version of a rule, such as the one to which a Check is pinned.
func (c *Client) RuleVersion(ctx context.Context, code firemode.RuleCode, version string) (r Rule, err error) {
	_, err = c.do(ctx, get(path("rules", string(code), "versions", version), nil), &r)
	return r, err
}

// Classify classifies a finding, and the server records it in its audit log.
func (c *Client) Classify(ctx context.Context, f Finding) (found Classified, err error) {
	_, err = c.do(ctx, post(path("classify"), f), &found)
	return found, err
}
