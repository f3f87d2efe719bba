package httpapi

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/rules"
	"firemode/internal/store"
)

type itemBody struct {
	ItemFields
	State   firemode.ItemState `json:"state" enum:"untouched,incomplete,disputed,done"`
	Outcome string             `json:"outcome,omitempty"`
	Missing []string           `json:"missing" doc:"Why the item is incomplete"`
}

// ItemFields are the fields of an item that do not change during a session.
type ItemFields struct {
	ID        firemode.ItemID    `json:"item_id" doc:"An asset_id, system-… or site-…"`
	Kind      firemode.AssetKind `json:"kind" enum:"asset,system,site"`
	Type      string             `json:"asset_type"`
	Name      string             `json:"name"`
	System    string             `json:"system"`
	Level     string             `json:"level"`
	Location  []string           `json:"location" doc:"From the building inwards"`
	Position  int                `json:"position" doc:"In walking order"`
	Checks    []dueCheckBody     `json:"checks"`
	Baselines []baselineBody     `json:"baselines"`
	Last      *lastResultBody    `json:"last_result" doc:"Of the previous completed visit"`
}

type dueCheckBody struct {
	Rule       firemode.RuleCode         `json:"rule_code"`
	Version    string                    `json:"version"`
	Name       string                    `json:"rule_name"`
	Conditions map[string]firemode.Class `json:"conditions" doc:"What can be seen, with the class it has by default"`
	Expected   []rules.LimitDocument     `json:"expected" doc:"Readings with unit and limits"`
}

type lastResultBody struct {
	Session      firemode.SessionID `json:"session_id"`
	CompletedAt  time.Time          `json:"completed_at"`
	Outcome      string             `json:"outcome"`
	Measurements map[string]decimal `json:"measurements"`
}

type listItemsInput struct {
	Paging
	SessionPath
	Level  string               `query:"level" maxLength:"64" example:"L05"`
	System string               `query:"system" maxLength:"64" example:"FE"`
	States []firemode.ItemState `query:"state,explode" enum:"untouched,incomplete,disputed,done" doc:"Any of them; repeat for several"`
	Text   string               `query:"q" maxLength:"200" doc:"Part of id, name or location, any case"`
}

func (a *API) listItems(ctx context.Context, in *listItemsInput) (*httpkit.Reply[list[itemBody]], error) {
	page, err := a.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	f := store.ItemFilter{Level: in.Level, System: in.System, States: in.States, Text: in.Text}
	rows, err := a.Services.Visits.Items(ctx, in.ID, f, page)
	if err != nil {
		return nil, err
	}
	set, err := a.Services.Catalogue.RuleSet(ctx, orgOf(ctx))
	if err != nil {
		return nil, err
	}
	return listed(ctx, a, in.Paging, rows, func(i firemode.Item) itemBody { return itemOf(i, set) }), nil
}

func itemOf(i firemode.Item, set *rules.Set) itemBody {
	return itemBody{ItemFields: itemFieldsOf(i, set), State: i.State, Outcome: i.Outcome, Missing: i.Missing}
}

func itemFieldsOf(i firemode.Item, set *rules.Set) ItemFields {
	b := ItemFields{
		ID: i.ID, Kind: i.Kind, Type: i.Type, Name: i.Name, System: i.System, Level: i.Level, Location: i.Location,
		Position:  i.Position,
		Baselines: baselinesOf(i.Baselines),
	}
	for _, c := range i.Checks {
		check := dueCheckBody{Rule: c.Rule, Version: c.Version}
		if r, ok := set.At(c.Rule, c.Version); ok {
			check.Name, check.Conditions, check.Expected = r.Name, r.Schema.Classifications, rules.NewDocument(r).Schema.Limits
		}
		b.Checks = append(b.Checks, check)
	}
	if i.Last != nil {
		b.Last = &lastResultBody{
			Session: i.Last.Session, CompletedAt: i.Last.CompletedAt.UTC(), Outcome: i.Last.Outcome,
			Measurements: map[string]decimal{},
		}
		for name, value := range i.Last.Measurements {
			b.Last.Measurements[name] = decimal(value)
		}
	}
	return b
}

func baselinesOf(list []firemode.Baseline) []baselineBody {
	var out []baselineBody
	for _, l := range list {
		out = append(out, baselineBody{l.Measurement, decimal(l.Value), l.Unit, l.Source, l.Date})
	}
	return out
}
