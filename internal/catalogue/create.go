package catalogue

import (
	"bytes"
	"context"
	"fmt"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Create adds a version to the rules of the caller's organisation and returns it. The same version with the same body is one
// creation; with another body it is firemode.CodeConflict, also when the version is one of the shared catalogue. A rule that is not
// valid is firemode.CodeInvalid and names the fields.
func (s *Service) Create(ctx context.Context, r firemode.Rule) (firemode.Rule, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Rule{}, err
	}
	if err := rules.Check(r); err != nil {
		return firemode.Rule{}, err
	}
	defer s.forget(p.Org)
	create := func(tx store.Tx) (firemode.Rule, error) {
		added, kept, err := s.add(ctx, tx, p.Org, []firemode.Rule{r})
		if err != nil {
			return firemode.Rule{}, err
		}
		return append(added, kept...)[0], nil
	}
	created, err := store.Once(ctx, s.store, create)
	if firemode.CodeOf(err) == firemode.CodeConflict {
		// Another node may have created it between our look and our write: then a second look finds it, and may find it the same.
		created, err = store.Once(ctx, s.store, create)
	}
	if err != nil {
		return firemode.Rule{}, fmt.Errorf("create rule %s %s: %w", r.Code, r.Version, err)
	}
	return created, nil
}

// add inserts those of the valid rules rs that org does not see yet, and returns them, and those that it does. A version that is there
// with another body fails them all.
func (s *Service) add(ctx context.Context, tx store.Tx, org firemode.OrgID, rs []firemode.Rule) (added, kept []firemode.Rule, err error) {
	present, err := store.As[store.RuleReader](tx).Rules(ctx, org)
	if err != nil {
		return nil, nil, err
	}
	book := rules.NewSet(present)
	p, _ := firemode.PrincipalFrom(ctx)
	var taken []firemode.Detail
	for _, r := range rs {
		r.Org, r.CreatedAt, r.CreatedBy, r.Creation = org, tx.Now(), p.User, rules.Fingerprint(r)
		was, there := book.At(r.Code, r.Version)
		switch {
		case !there:
			added = append(added, r)
		case bytes.Equal(was.Creation, r.Creation):
			kept = append(kept, was)
		default:
			taken = append(taken, firemode.Detail{Field: "version", Reason: fmt.Sprintf("%s %s is there with another body", r.Code, r.Version)})
		}
	}
	if len(taken) > 0 {
		conflict := firemode.Conflict("%s, and a version never changes: give the new one a higher version", taken[0].Reason)
		conflict.Details = taken
		return nil, nil, conflict
	}
	if len(added) == 0 {
		return nil, kept, nil
	}
	if err := store.As[store.RuleWriter](tx).CreateRules(ctx, added); err != nil {
		return nil, nil, err
	}
	return added, kept, s.audit(ctx, tx, org, ActionCreate, added)
}
