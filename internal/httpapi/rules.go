package httpapi

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/catalogue"
	"firemode/internal/httpkit"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// ruleBody is one version of a rule: the document that created it, and its state.
type ruleBody struct {
	rules.Document
	Active        bool       `json:"active" doc:"Whether the organisation that asks uses it"`
	Shared        bool       `json:"shared" doc:"Of the shipped catalogue"`
	CreatedAt     time.Time  `json:"created_at"`
	DeactivatedAt *time.Time `json:"deactivated_at,omitempty"`
}

func ruleOf(r firemode.Rule) ruleBody {
	b := ruleBody{
		Document: rules.NewDocument(r), Active: r.DeactivatedAt.IsZero(), Shared: r.Org == "", CreatedAt: r.CreatedAt.UTC(),
	}
	if !b.Active {
		b.DeactivatedAt = ptr(r.DeactivatedAt.UTC())
	}
	return b
}

// RulePath is the path of one rule.
type RulePath struct {
	Code firemode.RuleCode `path:"rule_code" pattern:"^[A-Za-z0-9_.-]{1,64}$" example:"AS1851-2012-FE-01"`
}

type ruleVersionPath struct {
	RulePath
	Version string `path:"version" maxLength:"64" example:"1.0.0" doc:"Semantic version"`
}

type createRuleInput struct {
	Body rules.Document
}

type listRulesInput struct {
	Paging
	System    string             `query:"system" maxLength:"64" example:"FE"`
	Frequency firemode.Frequency `query:"frequency" enum:"weekly,monthly,three_monthly,six_monthly,yearly,five_yearly,ten_yearly,twenty_five_yearly,thirty_yearly,after_use" doc:"One that the rule names itself"`
	Text      string             `query:"q" maxLength:"200" doc:"Part of code, name, description or a condition, any case"`
}

type listVersionsInput struct {
	Paging
	RulePath
}

func ruleReply(r firemode.Rule, err error) (*httpkit.Reply[ruleBody], error) {
	if err != nil {
		return nil, err
	}
	return &httpkit.Reply[ruleBody]{Body: ruleOf(r)}, nil
}

func (a *API) createRule(ctx context.Context, in *createRuleInput) (*httpkit.Reply[ruleBody], error) {
	r, err := in.Body.Rule()
	if err != nil {
		return nil, err
	}
	return ruleReply(a.Services.Catalogue.Create(ctx, r))
}

func (a *API) listRules(ctx context.Context, in *listRulesInput) (*httpkit.Reply[list[ruleBody]], error) {
	return a.ruleList(ctx, in.Paging, func(page store.Page) ([]store.Keyed[firemode.Rule], error) {
		f := catalogue.Filter{System: in.System, Frequency: in.Frequency, Text: in.Text}
		return a.Services.Catalogue.Rules(ctx, f, page)
	})
}

func (a *API) listVersions(ctx context.Context, in *listVersionsInput) (*httpkit.Reply[list[ruleBody]], error) {
	return a.ruleList(ctx, in.Paging, func(page store.Page) ([]store.Keyed[firemode.Rule], error) {
		return a.Services.Catalogue.Versions(ctx, in.Code, page)
	})
}

func (a *API) ruleList(
	ctx context.Context, p Paging, ask func(store.Page) ([]store.Keyed[firemode.Rule], error),
) (*httpkit.Reply[list[ruleBody]], error) {
	page, err := a.page(ctx, p)
	if err != nil {
		return nil, err
	}
	rows, err := ask(page)
	return listed(ctx, a, p, rows, ruleOf), err
}

func (a *API) getRule(ctx context.Context, in *RulePath) (*httpkit.Reply[ruleBody], error) {
	return ruleReply(a.Services.Catalogue.Rule(ctx, in.Code))
}

func (a *API) getRuleVersion(ctx context.Context, in *ruleVersionPath) (*httpkit.Reply[ruleBody], error) {
	return ruleReply(a.Services.Catalogue.Version(ctx, in.Code, in.Version))
}

func (a *API) deactivateRule(ctx context.Context, in *ruleVersionPath) (*httpkit.Reply[ruleBody], error) {
	return ruleReply(a.Services.Catalogue.Deactivate(ctx, in.Code, in.Version))
}
