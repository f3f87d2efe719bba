package client

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/rules"
)

// Rule is one version of a rule.
type Rule struct {
	rules.Document
	Active        bool      `json:"active"` // the organisation uses it
	Shared        bool      `json:"shared"` // of the shipped catalogue
	CreatedAt     time.Time `json:"created_at"`
	DeactivatedAt time.Time `json:"deactivated_at"`
}

// RuleFilter narrows a list of rules; "" is any.
type RuleFilter struct {
	System    string
	Frequency firemode.Frequency
	Text      string // part of code, name, description or a condition, any case
}

// Finding is what was seen, to be classified: a condition, or a measurement with value and unit.
type Finding struct {
	Code        firemode.RuleCode `json:"item_code"`
	Condition   string            `json:"observed_condition,omitzero"`
	Measurement string            `json:"measurement,omitzero"`
	Value       jsontext.Value    `json:"value,omitzero"` // a number
	Unit        string            `json:"unit,omitzero"`
	Scope       rules.Scope       `json:"scope,omitzero"`
	Override    *Override         `json:"override,omitzero"`
}

// Override is a person's judgement in place of the rule's.
type Override struct {
	Class  firemode.Class `json:"classification"`
	Reason string         `json:"reason"`
}

// Judgement is what a finding was classified as. Class and Default are "" within limits.
type Judgement struct {
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

// CreateRule adds a version of a rule.
func (c *Client) CreateRule(ctx context.Context, d rules.Document) (r Rule, err error) {
	_, err = c.do(ctx, post(path("rules"), d), &r)
	return r, err
}

// Rules lists the versions in force, by code.
func (c *Client) Rules(ctx context.Context, f RuleFilter) iter.Seq2[Rule, error] {
	return walk[Rule](ctx, c, path("rules"), values("system", f.System, "frequency", string(f.Frequency), "q", f.Text))
}

// Rule returns the version in force.
func (c *Client) Rule(ctx context.Context, code firemode.RuleCode) (r Rule, err error) {
	_, err = c.do(ctx, get(path("rules", string(code)), nil), &r)
	return r, err
}

// RuleVersions lists all versions of a rule, newest first.
func (c *Client) RuleVersions(ctx context.Context, code firemode.RuleCode) iter.Seq2[Rule, error] {
	return walk[Rule](ctx, c, path("rules", string(code), "versions"), nil)
}

// RuleVersion returns one version of a rule.
func (c *Client) RuleVersion(ctx context.Context, code firemode.RuleCode, version string) (r Rule, err error) {
	_, err = c.do(ctx, get(path("rules", string(code), "versions", version), nil), &r)
	return r, err
}

// DeactivateRule stops the use of a version.
func (c *Client) DeactivateRule(ctx context.Context, code firemode.RuleCode, version string) (r Rule, err error) {
	_, err = c.do(ctx, post(path("rules", string(code), "versions", version, "deactivate"), nil), &r)
	return r, err
}

// Classify judges what was seen, and records it.
func (c *Client) Classify(ctx context.Context, f Finding) (j Judgement, err error) {
	_, err = c.do(ctx, post(path("classify"), f), &j)
	return j, err
}
