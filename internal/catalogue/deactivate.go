package catalogue

import (
	"context"
	"fmt"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Deactivate takes a version out of force for the caller's organisation alone, a shared one too, and returns it. Doing so
// again changes nothing. Results that were judged by it keep it.
func (s *Service) Deactivate(ctx context.Context, code firemode.RuleCode, version string) (firemode.Rule, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return firemode.Rule{}, err
	}
	defer s.forget(p.Org)
	r, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.Rule, error) {
		r, err := readVersion(ctx, tx, p.Org, code, version)
		if err != nil || !r.DeactivatedAt.IsZero() {
			return r, err
		}
		if err := store.As[store.RuleWriter](tx).DeactivateRule(ctx, p.Org, code, version, p.User); err != nil {
			return firemode.Rule{}, err
		}
		r.DeactivatedAt = tx.Now()
		return r, s.audit(ctx, tx, p.Org, ActionDeactivate, []firemode.Rule{r})
	})
	if err != nil {
		return firemode.Rule{}, fmt.Errorf("deactivate rule %s %s: %w", code, version, err)
	}
	return r, nil
}

// readVersion reads one version as org sees it.
func readVersion(ctx context.Context, tx store.ReadTx, org firemode.OrgID, code firemode.RuleCode, version string) (firemode.Rule, error) {
	present, err := store.As[store.RuleReader](tx).Rules(ctx, org)
	if err != nil {
		return firemode.Rule{}, err
	}
	r, ok := rules.NewSet(present).At(code, version)
	if !ok {
		return firemode.Rule{}, noVersion(code, version)
	}
	return r, nil
}
