package bundles

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/view"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Content is what a bundle holds.
type Content struct {
	Plan
	PriorDefects []firemode.Defect // of earlier sessions, still open
	MaxResults   int               // bytes that the encoded results may have

	results func(context.Context, view.Sink) error
}

// Results writes the merged document of the session to sink, as of the moment of the call.
func (c Content) Results(ctx context.Context, sink view.Sink) error { return c.results(ctx, sink) }

// Plan is the part of a bundle that changes only with the version of the session.
type Plan struct {
	Session  firemode.Session
	Building firemode.Building
	Assets   []firemode.Asset
	Items    []firemode.Item
	RuleSet  *rules.Set      // finds the rule of each check
	Rules    []firemode.Rule // of all checks, by code, then version
}

// content reads what a bundle holds, but for the results. It uses the plan of the last build, if
// that is current.
func (s *Service) content(ctx context.Context, b *build) (c Content, err error) {
	if b.plan == nil || b.plan.Session.Version != b.session.Version {
		if b.plan, err = s.plan(ctx, b.session); err != nil {
			return c, err
		}
	}
	c = Content{Plan: *b.plan, MaxResults: s.MaxResults, results: func(ctx context.Context, sink view.Sink) error {
		return s.Views.Results(ctx, view.Query{Session: b.session.ID}, headerSink{sink, &b.header})
	}}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		c.PriorDefects, err = priorDefects(ctx, tx, b.session)
		return err
	})
	return c, err
}

// headerSink is a sink that also keeps the header.
type headerSink struct {
	view.Sink
	header *view.Header
}

func (s headerSink) Begin(h view.Header) error {
	*s.header = h
	return s.Sink.Begin(h)
}

func (s *Service) plan(ctx context.Context, session firemode.Session) (*Plan, error) {
	set, err := s.Rules.RuleSet(ctx, session.Org)
	if err != nil {
		return nil, err
	}
	p := &Plan{Session: session, RuleSet: set}
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		var err error
		if p.Building, err = store.As[store.BuildingReader](tx).Building(ctx, session.Org, session.Building); err != nil {
			return err
		}
		addAsset := func(a firemode.Asset) error {
			p.Assets = append(p.Assets, a)
			return nil
		}
		if err := store.As[store.AssetReader](tx).EachAsset(ctx, session.Org, session.Building, addAsset); err != nil {
			return err
		}
		p.Items, err = items(ctx, tx, session)
		return err
	})
	p.Rules = rulesOf(p.Items, set)
	return p, err
}

// items returns the items of a session in walking order.
func items(ctx context.Context, tx store.ReadTx, session firemode.Session) (all []firemode.Item, err error) {
	reader := store.As[store.ItemReader](tx)
	list := func(p store.Page) ([]store.Keyed[firemode.Item], error) {
		return reader.Items(ctx, session.Org, session.ID, store.ItemFilter{}, p)
	}
	err = store.EachRow(list, func(item firemode.Item) error {
		all = append(all, item)
		return nil
	})
	return all, err
}

// priorDefects returns the defects of the building that are neither closed nor withdrawn, of
// sessions that were made before this one.
func priorDefects(ctx context.Context, tx store.ReadTx, session firemode.Session) (all []firemode.Defect, err error) {
	reader := store.As[store.DefectReader](tx)
	open := store.DefectFilter{
		Building: session.Building, NotSession: session.ID,
		Statuses: []firemode.DefectStatus{firemode.DefectOpen, firemode.DefectNotified, firemode.DefectRectified},
	}
	list := func(p store.Page) ([]store.Keyed[firemode.Defect], error) {
		return reader.Defects(ctx, session.Org, open, p)
	}
	earlier := map[firemode.SessionID]bool{}
	err = store.EachRow(list, func(d firemode.Defect) error {
		all = append(all, d)
		earlier[d.Session] = false
		return nil
	})
	if err != nil {
		return nil, err
	}
	ids := slices.Collect(maps.Keys(earlier))
	sessions, err := store.As[store.SessionReader](tx).SessionsByID(ctx, session.Org, ids)
	for _, s := range sessions {
		earlier[s.ID] = s.CreatedAt.Before(session.CreatedAt)
	}
	return slices.DeleteFunc(all, func(d firemode.Defect) bool { return !earlier[d.Session] }), err
}

// rulesOf returns the rule versions of all checks, by code and version, each once.
func rulesOf(items []firemode.Item, set *rules.Set) []firemode.Rule {
	seen := map[firemode.Check]bool{}
	var all []firemode.Rule
	for _, item := range items {
		for _, c := range item.Checks {
			if r, ok := set.At(c.Rule, c.Version); ok && !seen[c] {
				seen[c] = true
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b firemode.Rule) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), rules.CompareVersions(a.Version, b.Version))
	})
	return all
}
