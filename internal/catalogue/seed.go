package catalogue

import (
	"context"
	"fmt"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Seed adds the embedded rules to the shared catalogue: missing versions are created, and none is
// changed. Several nodes may do so at the same time. If the database comes from a release without
// an audit log of the shared catalogue, the log begins with the existing rules.
func (s *Service) Seed(ctx context.Context) error {
	shipped, err := rules.Catalogue()
	if err != nil {
		return fmt.Errorf("the embedded catalogue: %w", err)
	}
	// Usually there is nothing to do, and a View finds out without the lock of a writer.
	done := false
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		missing, logged, err := unseeded(ctx, tx, shipped)
		done = logged && len(missing) == 0
		return err
	})
	if err != nil || done {
		return err
	}
	defer s.invalidate("")
	_, err = store.Once(ctx, s.store, func(tx store.Tx) (struct{}, error) {
		return struct{}{}, s.seed(ctx, tx, shipped)
	})
	if err != nil {
		return fmt.Errorf("seed the rule catalogue: %w", err)
	}
	return nil
}

// seed adds the missing versions of shipped to the shared catalogue and to its audit log. If
// another node has added one since tx read the rules, its error makes store.Once run its function
// once more.
func (s *Service) seed(ctx context.Context, tx store.Tx, shipped []firemode.Rule) error {
	added, logged, err := unseeded(ctx, tx, shipped)
	if err != nil || logged && len(added) == 0 {
		return err
	}
	for i := range added {
		added[i].CreatedAt = tx.Now()
	}
	if err := store.As[store.RuleWriter](tx).CreateRules(ctx, added); err != nil {
		return store.LostRace(err)
	}
	last, _, err := store.As[store.AuditWriter](tx).LockAudit(ctx, "")
	if err == nil && last == 0 {
		added, err = store.As[store.RuleReader](tx).Rules(ctx, "")
	}
	if err != nil {
		return err
	}
	return s.audit(ctx, tx, firemode.Principal{}, actionCreate, added)
}

// unseeded returns those of shipped whose version is not in the shared catalogue, and whether that
// has an audit log.
func unseeded(
	ctx context.Context, tx store.ReadTx, shipped []firemode.Rule,
) (missing []firemode.Rule, logged bool, err error) {
	existing, err := store.As[store.RuleReader](tx).Rules(ctx, "")
	if err != nil {
		return nil, false, fmt.Errorf("read the shared rules: %w", err)
	}
	last, _, err := store.As[store.AuditReader](tx).AuditEnd(ctx, "")
	set := rules.NewSet(existing)
	for _, r := range shipped {
		if _, found := set.At(r.Code, r.Version); !found {
			missing = append(missing, r)
		}
	}
	return missing, last > 0, err
}
