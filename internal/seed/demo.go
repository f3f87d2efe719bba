// Package seed fills an empty installation with demo data: two organisations whose users have a
// known password, buildings with their asset registers, and visits in every state.
//
// All data goes through the services, as if users had entered it. A run that continues an
// interrupted one gives the same result. Data that is not the demo's own is never changed. Names,
// ids and readings are the same in every run; times, and ids that services create, differ.
package seed

import (
	"context"
	"fmt"
	"slices"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/catalogue"
	"firemode/internal/identity"
	"firemode/internal/record/merge"
	"firemode/internal/visits"
)

// Password is the password of every demo user.
const Password = "firemode-demo"

// Services are the services that take the demo data. All are required.
type Services struct {
	Auth      *identity.Service
	Catalogue *catalogue.Service
	Buildings *assets.Service
	Visits    *visits.Service
	Merge     *merge.Service
}

// Demo fills an empty installation, or completes a partial demo; it does not change any other
// installation. progress gets a line for each step.
func Demo(ctx context.Context, s Services, progress func(string)) error {
	plan := organisations()
	found, err := s.survey(ctx, plan)
	if err != nil {
		return err
	}
	switch found {
	case others:
		progress("the database already has data; nothing was changed")
		return nil
	case partial:
		progress("the demo data is incomplete; continuing")
	}
	if err := s.Catalogue.Seed(ctx); err != nil {
		return err
	}
	for _, o := range plan {
		f := filler{Services: s, org: o, progress: progress, people: map[firemode.UserID]firemode.Principal{}}
		if err := f.fill(ctx); err != nil {
			return fmt.Errorf("organisation %s: %w", o.id, err)
		}
	}
	return nil
}

// contents is what an installation holds.
type contents int

const (
	nothing contents = iota
	partial          // a part of the demo data
	others           // the complete demo data, or other data
)

// survey returns what the installation holds. The id and name of the first organisation identify
// the demo, and the last visit of the last organisation shows that the demo is complete.
func (s Services) survey(ctx context.Context, plan []organisation) (contents, error) {
	found, err := s.Auth.Organisations(ctx)
	if err != nil {
		return others, err
	}
	if len(found) == 0 {
		return nothing, nil
	}
	first, last := plan[0], plan[len(plan)-1]
	begun := slices.ContainsFunc(
		found, func(o firemode.Organisation) bool { return o.ID == first.id && o.Name == first.name },
	)
	if !begun {
		return others, nil
	}
	_, err = s.Visits.Get(identity.AsOperator(ctx, last.id), last.visits[len(last.visits)-1].draft.ID)
	switch {
	case err == nil:
		return others, nil
	case firemode.CodeOf(err) == firemode.CodeNotFound:
		return partial, nil
	default:
		return others, err
	}
}
