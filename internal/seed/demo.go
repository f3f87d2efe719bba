// Package seed fills an empty installation with data that shows what FireMode does: two organisations with people whose
// password everybody knows, buildings with their registers, and visits at every stage.
//
// It promises that everything goes in through the services, as if people had done it; that a run which was cut short is
// finished by the next one, with the same outcome; and that data which is not the demo's own is never touched. The same names,
// ids and readings come out each time; what differs are times, which follow the run, and the ids that services mint.
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

// Services are what the demo data goes in through. All are required.
type Services struct {
	Auth      *identity.Service
	Catalogue *catalogue.Service
	Buildings *assets.Service
	Visits    *visits.Service
	Merge     *merge.Service
}

// Demo fills an empty installation, and finishes one that it began to fill; any other is kept as it is. progress is given a
// line for each step.
func Demo(ctx context.Context, s Services, progress func(string)) error {
	plan := organisations()
	found, err := s.survey(ctx, plan)
	if err != nil {
		return err
	}
	switch found {
	case others:
		progress("there is data already; it is kept as it is")
		return nil
	case partial:
		progress("the demo data was begun and not finished; going on")
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
	others           // the whole demo data, or somebody's own
)

// survey looks at what is there. The last thing that a run makes tells whether the run came to its end: it is in the last
// organisation, and the demo knows its first one by id and name.
func (s Services) survey(ctx context.Context, plan []organisation) (contents, error) {
	there, err := s.Auth.Organisations(ctx)
	if err != nil {
		return others, err
	}
	if len(there) == 0 {
		return nothing, nil
	}
	first, last := plan[0], plan[len(plan)-1]
	begun := slices.ContainsFunc(there, func(o firemode.Organisation) bool { return o.ID == first.id && o.Name == first.name })
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
