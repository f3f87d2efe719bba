package catalogue

import (
	"context"
	"slices"
	"sort"
	"strings"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Filter selects rules.
type Filter struct {
	System    string             // e.g. "FE"; "" for any
	Frequency firemode.Frequency // one that the rule names itself; "" for any
	Text      string             // part of code, name, description or a condition, any case
}

// Rules lists the rules in force for the caller's organisation, by code. A Key is the code.
func (s *Service) Rules(ctx context.Context, f Filter, p store.Page) ([]store.Keyed[firemode.Rule], error) {
	set, err := s.callersSet(ctx)
	if err != nil {
		return nil, err
	}
	all := set.All()
	from := sort.Search(len(all), func(i int) bool { return string(all[i].Code) > p.After })
	var page []store.Keyed[firemode.Rule]
	for _, r := range all[from:] {
		if len(page) == p.Limit {
			break
		}
		if f.matches(r) {
			page = append(page, store.Keyed[firemode.Rule]{Key: string(r.Code), Row: r})
		}
	}
	return page, nil
}

// Rule returns the version of code that is in force for the caller's organisation, or CodeNotFound.
func (s *Service) Rule(ctx context.Context, code firemode.RuleCode) (firemode.Rule, error) {
	set, err := s.callersSet(ctx)
	if err != nil {
		return firemode.Rule{}, err
	}
	return inForce(set, code)
}

// Versions lists every version of code, newest first, active or not. An unknown code is
// CodeNotFound. A Key is the version.
func (s *Service) Versions(
	ctx context.Context,
	code firemode.RuleCode,
	p store.Page,
) ([]store.Keyed[firemode.Rule], error) {
	set, err := s.callersSet(ctx)
	if err != nil {
		return nil, err
	}
	all := set.Versions(code)
	if len(all) == 0 {
		return nil, noRule(code)
	}
	if p.After != "" && !rules.ValidVersion(p.After) {
		return nil, firemode.Malformed("the cursor is not one of this list")
	}
	var page []store.Keyed[firemode.Rule]
	for _, r := range all {
		if len(page) == p.Limit {
			break
		}
		if p.After == "" || rules.CompareVersions(r.Version, p.After) < 0 {
			page = append(page, store.Keyed[firemode.Rule]{Key: r.Version, Row: r})
		}
	}
	return page, nil
}

// Version returns one version, active or not, or CodeNotFound.
func (s *Service) Version(ctx context.Context, code firemode.RuleCode, version string) (firemode.Rule, error) {
	set, err := s.callersSet(ctx)
	if err != nil {
		return firemode.Rule{}, err
	}
	return versionOf(set, code, version)
}

// callersSet returns the rules that the caller's organisation sees.
func (s *Service) callersSet(ctx context.Context) (*rules.Set, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return nil, err
	}
	return s.RuleSet(ctx, p.Org)
}

func (f Filter) matches(r firemode.Rule) bool {
	return (f.System == "" || r.System == f.System) &&
		(f.Frequency == "" || slices.Contains(r.Frequencies, f.Frequency)) &&
		(f.Text == "" || mentions(r, strings.ToLower(f.Text)))
}

// mentions reports whether r contains lower, a text in lower case, in any case.
func mentions(r firemode.Rule, lower string) bool {
	for _, text := range []string{string(r.Code), r.Name, r.Description} {
		if strings.Contains(strings.ToLower(text), lower) {
			return true
		}
	}
	for condition := range r.Schema.Classifications {
		if strings.Contains(strings.ToLower(condition), lower) {
			return true
		}
	}
	return false
}

// inForce returns the version of code in force, or CodeNotFound.
func inForce(set *rules.Set, code firemode.RuleCode) (firemode.Rule, error) {
	r, ok := set.InForce(code)
	switch {
	case ok:
		return r, nil
	case len(set.Versions(code)) > 0:
		return firemode.Rule{}, firemode.NotFound("no version of rule %s is in force", code)
	}
	return firemode.Rule{}, noRule(code)
}

func noRule(code firemode.RuleCode) error {
	return firemode.NotFound("there is no rule %s", firemode.Clip(string(code)))
}

// versionOf returns one version of code, or CodeNotFound.
func versionOf(set *rules.Set, code firemode.RuleCode, version string) (firemode.Rule, error) {
	r, ok := set.At(code, version)
	if !ok {
		return firemode.Rule{}, firemode.NotFound(
			"there is no version %s of rule %s", firemode.Clip(version), firemode.Clip(string(code)))
	}
	return r, nil
}
