package seed

import (
	"context"
	"fmt"

	"firemode"
	"firemode/internal/identity"
	"firemode/internal/rules"
)

// organisation is a tenant of the demo with everything in it.
type organisation struct {
	id     firemode.OrgID
	name   string
	users  []person
	sites  []site
	visits []visit // in order: a visit shows the findings of completed visits before it
}

// person is a user; the username is id@organisation.
type person struct {
	id   firemode.UserID
	name string
	role firemode.Role
}

// The rule and condition that clients of the demo rely on.
const (
	promisedRule      = firemode.RuleCode("AS1851-2012-FE-01")
	promisedCondition = "pressure_low"
)

// filler creates one organisation. Each step may run repeatedly: it does not change what already
// exists.
type filler struct {
	Services
	org      organisation
	progress func(string)
	people   map[firemode.UserID]firemode.Principal
	rules    *rules.Set
}

func (f *filler) fill(ctx context.Context) error {
	if err := f.createOrganisation(ctx); err != nil {
		return err
	}
	for _, s := range f.org.sites {
		if err := f.createBuilding(ctx, s); err != nil {
			return fmt.Errorf("building %s: %w", s.ID, err)
		}
	}
	for _, v := range f.org.visits {
		if err := f.visit(ctx, v); err != nil {
			return fmt.Errorf("session %s: %w", v.draft.ID, err)
		}
	}
	return nil
}

// createOrganisation creates the organisation and its users, and checks its rules.
func (f *filler) createOrganisation(ctx context.Context) error {
	err := f.Auth.AddOrganisation(ctx, f.org.id, f.org.name)
	if err != nil && firemode.CodeOf(err) != firemode.CodeConflict {
		return err
	}
	for _, p := range f.org.users {
		u, err := f.Auth.CreateUser(identity.AsOperator(ctx, f.org.id), identity.NewUser{
			ID: p.id, Username: string(p.id) + "@" + string(f.org.id), FullName: p.name, Role: p.role,
			Password: Password,
		})
		if err != nil {
			return fmt.Errorf("user %s: %w", p.id, err)
		}
		f.people[p.id] = firemode.Principal{Org: u.Org, User: u.ID, Name: u.Username, Role: u.Role}
	}
	if f.rules, err = f.Catalogue.RuleSet(ctx, f.org.id); err != nil {
		return err
	}
	rule, ok := f.rules.InForce(promisedRule)
	if _, known := rule.Schema.Classifications[promisedCondition]; !ok || !known {
		return fmt.Errorf("rule %s with the condition %s is not in force", promisedRule, promisedCondition)
	}
	f.progressf("organisation %s: %d users, %d rules in force", f.org.id, len(f.org.users), len(f.rules.All()))
	return nil
}

// as returns a context in which a user of the organisation acts.
func (f *filler) as(ctx context.Context, id firemode.UserID) context.Context {
	return firemode.WithPrincipal(ctx, f.people[id])
}

func (f *filler) progressf(format string, args ...any) { f.progress(fmt.Sprintf(format, args...)) }
