package catalogue

import (
	"bytes"
	"context"
	"fmt"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Actions on rule versions in the audit log. The subject is the rule code.
const (
	actionCreate     = "rule.create"
	actionDeactivate = "rule.deactivate"
)

// Create adds a version to the rules of the caller's organisation and returns it. A second call
// with the same version and content returns the existing one; another content is CodeConflict, also
// for a version of the shared catalogue. A rule that is not valid is CodeInvalid and names the
// fields.
func (s *Service) Create(ctx context.Context, r firemode.Rule) (firemode.Rule, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Rule{}, err
	}
	if err := rules.Check(r); err != nil {
		return firemode.Rule{}, err
	}
	defer s.invalidate(p.Org)
	created, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.Rule, error) {
		added, kept, err := s.add(ctx, tx, p, []firemode.Rule{r})
		if err != nil {
			return firemode.Rule{}, err
		}
		return append(added, kept...)[0], nil
	})
	if err != nil {
		return firemode.Rule{}, fmt.Errorf("create rule %s %s: %w", r.Code, r.Version, err)
	}
	return created, nil
}

// add inserts those of the valid rules rs that by's organisation does not see yet. It returns them
// and those that it does see. If a version exists with another content, add inserts nothing and
// fails with CodeConflict.
func (s *Service) add(
	ctx context.Context, tx store.Tx, by firemode.Principal, rs []firemode.Rule,
) (added, kept []firemode.Rule, err error) {
	existing, err := store.As[store.RuleReader](tx).Rules(ctx, by.Org)
	if err != nil {
		return nil, nil, err
	}
	set := rules.NewSet(existing)
	var taken []firemode.Detail
	for _, r := range rs {
		r.Org, r.CreatedAt, r.CreatedBy, r.Creation = by.Org, tx.Now(), by.User, rules.Fingerprint(r)
		old, found := set.At(r.Code, r.Version)
		switch {
		case !found:
			added = append(added, r)
		case bytes.Equal(old.Creation, r.Creation):
			kept = append(kept, old)
		default:
			reason := fmt.Sprintf("%s %s exists with another body", r.Code, r.Version)
			taken = append(taken, firemode.Detail{Field: "version", Reason: reason})
		}
	}
	if len(taken) > 0 {
		conflict := firemode.Conflict("%s, and a version never changes: use a higher version", taken[0].Reason)
		conflict.Details = taken
		return nil, nil, conflict
	}
	return added, kept, s.insert(ctx, tx, by, added)
}

// insert creates rules, and records in the audit log that by did. If another node has created one
// of them since tx read the rules, its error makes store.Once run its function once more.
func (s *Service) insert(ctx context.Context, tx store.Tx, by firemode.Principal, rs []firemode.Rule) error {
	if len(rs) == 0 {
		return nil
	}
	if err := store.As[store.RuleWriter](tx).CreateRules(ctx, rs); err != nil {
		return store.LostRace(err)
	}
	return s.audit(ctx, tx, by, actionCreate, rs)
}

// Deactivate deactivates a version for the caller's organisation only, even if it is a shared one,
// and returns it. A second call changes nothing. Results that were classified by the version keep
// it.
func (s *Service) Deactivate(ctx context.Context, code firemode.RuleCode, version string) (firemode.Rule, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Rule{}, err
	}
	defer s.invalidate(p.Org)
	r, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.Rule, error) {
		existing, err := store.As[store.RuleReader](tx).Rules(ctx, p.Org)
		if err != nil {
			return firemode.Rule{}, err
		}
		r, err := versionOf(rules.NewSet(existing), code, version)
		if err != nil || !r.DeactivatedAt.IsZero() {
			return r, err
		}
		if err := store.As[store.RuleWriter](tx).DeactivateRule(ctx, p.Org, code, version, p.User); err != nil {
			return firemode.Rule{}, err
		}
		r.DeactivatedAt = tx.Now()
		return r, s.audit(ctx, tx, p, actionDeactivate, []firemode.Rule{r})
	})
	if err != nil {
		return firemode.Rule{}, fmt.Errorf("deactivate rule %s %s: %w", code, version, err)
	}
	return r, nil
}

// audited are the data of an audit entry about a rule version.
type audited struct {
	Fingerprint []byte `json:"fingerprint"`
	Version     string `json:"version"`
}

// audit records in the audit log of by's organisation that by did action to each of rs. The shared
// catalogue, organisation "", has an audit log of its own.
func (s *Service) audit(
	ctx context.Context, tx store.Tx, by firemode.Principal, action string, rs []firemode.Rule,
) error {
	actions := make([]store.Action, len(rs))
	for i, r := range rs {
		actions[i] = store.Action{
			ID: firemode.AuditID(s.newID()), Name: action, Subject: string(r.Code),
			Data: audited{Version: r.Version, Fingerprint: r.Creation},
		}
		if action == actionCreate {
			actions[i].At = r.CreatedAt // earlier than now if the log begins with existing rules
		}
	}
	return store.AppendActions(ctx, tx, by, actions...)
}
