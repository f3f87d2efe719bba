package httpapi

import (
	"context"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/httpkit"
	"firemode/internal/rules"
)

type classifyInput struct {
	Body struct {
		Code        firemode.RuleCode `json:"item_code" minLength:"1" maxLength:"64" example:"AS1851-2012-FE-01" doc:"rule_code of the rule that judges"`
		Condition   string            `json:"observed_condition,omitempty" maxLength:"200" example:"pressure_low"`
		Measurement string            `json:"measurement,omitempty" maxLength:"200" doc:"In place of observed_condition, with value and unit" example:"flow_lps"`
		Value       decimal           `json:"value,omitempty"`
		Unit        string            `json:"unit,omitempty" maxLength:"64"`
		Scope       rules.Scope       `json:"scope,omitempty" doc:"How much is affected: answers that can raise the class"`
		Override    *overrideBody     `json:"override,omitempty" doc:"A person's judgement in place of the rule's"`
	}
}

type overrideBody struct {
	Class  firemode.Class `json:"classification" enum:"critical_defect,non_critical_defect,non_conformance,not_tested,recommendation"`
	Reason string         `json:"reason" minLength:"1" maxLength:"2000"`
}

type classifyBody struct {
	Class        *firemode.Class   `json:"classification" nullable:"true" doc:"null within limits"`
	Default      *firemode.Class   `json:"default_classification" nullable:"true" doc:"What the rule says without scope and override"`
	WithinLimits *bool             `json:"within_limits,omitempty" doc:"Of a measurement"`
	Condition    string            `json:"condition,omitempty" doc:"The condition that was judged"`
	Basis        string            `json:"basis,omitempty" enum:"default,escalated,override"`
	Reason       string            `json:"reason,omitempty" doc:"Why it is not the default"`
	Rule         firemode.RuleCode `json:"rule_applied"`
	Version      string            `json:"version_applied"`
	AuditID      firemode.AuditID  `json:"audit_log_id"`
}

func (a *API) classify(ctx context.Context, in *classifyInput) (*httpkit.Reply[classifyBody], error) {
	q := catalogue.Request{Code: in.Body.Code, Finding: rules.Finding{
		Condition: in.Body.Condition, Measurement: in.Body.Measurement, Value: string(in.Body.Value),
		Unit: in.Body.Unit, Scope: in.Body.Scope,
	}}
	if o := in.Body.Override; o != nil {
		q.Override = &rules.Override{Class: o.Class, Reason: o.Reason}
	}
	answer, err := a.Services.Catalogue.Classify(ctx, q)
	if err != nil {
		return nil, err
	}
	return &httpkit.Reply[classifyBody]{Body: classified(answer, q.Measurement != "")}, nil
}

func classified(c catalogue.Answer, measured bool) classifyBody {
	b := classifyBody{
		Condition: c.Condition, Basis: c.Basis, Reason: c.Reason, Rule: c.Code, Version: c.Version, AuditID: c.AuditID,
	}
	if measured {
		b.WithinLimits = &c.WithinLimits
	}
	if !c.WithinLimits {
		b.Class, b.Default = &c.Class, &c.Default
	}
	return b
}
