package catalogue

import (
	"context"
	"fmt"
	"io"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// MaxImport is the greatest number of bytes of a catalogue that Import takes.
const MaxImport = 8 << 20

// Import adds the versions of a catalogue file (see rules.ParseCatalogue) to the rules of org, all or none of them; org "" is the
// shared catalogue. Versions that are there already with the same body are unchanged; with another body the import is
// firemode.CodeConflict and names them. An unknown organisation is firemode.CodeNotFound.
func (s *Service) Import(ctx context.Context, org firemode.OrgID, r io.Reader) (created, unchanged int, err error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxImport+1))
	if err != nil {
		return 0, 0, fmt.Errorf("read the catalogue: %w", err)
	}
	if len(data) > MaxImport {
		return 0, 0, firemode.TooLarge("a catalogue is at most %d bytes", MaxImport)
	}
	rs, err := rules.ParseCatalogue(data)
	if err != nil {
		return 0, 0, err
	}
	defer s.forget(org)
	err = s.store.Update(ctx, func(tx store.Tx) error {
		if org != "" {
			if _, err := store.As[store.OrganisationReader](tx).Organisation(ctx, org); err != nil {
				return err
			}
		}
		added, kept, err := s.add(ctx, tx, org, rs)
		created, unchanged = len(added), len(kept)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("import rules: %w", err)
	}
	return created, unchanged, nil
}

// Seed puts the embedded catalogue into the store, as the shared one: versions that are missing are added, and none is ever
// changed. Several nodes may do so at once. In a database of a binary that kept no log of the shared catalogue, the log begins with what
// there is.
func (s *Service) Seed(ctx context.Context) error {
	shipped, err := rules.Catalogue()
	if err != nil {
		return fmt.Errorf("the embedded catalogue: %w", err)
	}
	missing, logged, err := s.missing(ctx, shipped)
	if err != nil || logged && len(missing) == 0 {
		return err
	}
	defer s.forget("")
	err = s.store.Update(ctx, func(tx store.Tx) error { return s.seed(ctx, tx, missing) })
	if firemode.CodeOf(err) == firemode.CodeConflict {
		// Another node seeded between our look and our write. If it is of another release, something may still be missing.
		if missing, _, again := s.missing(ctx, shipped); again == nil && len(missing) == 0 {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("seed the rule catalogue: %w", err)
	}
	return nil
}

// seed adds rules to the shared catalogue and its log.
func (s *Service) seed(ctx context.Context, tx store.Tx, added []firemode.Rule) error {
	for i := range added {
		added[i].CreatedAt = tx.Now()
	}
	if err := store.As[store.RuleWriter](tx).CreateRules(ctx, added); err != nil {
		return err
	}
	last, _, err := store.As[store.AuditWriter](tx).LockAudit(ctx, "")
	if err == nil && last == 0 {
		added, err = store.As[store.RuleReader](tx).Rules(ctx, "")
	}
	if err != nil {
		return err
	}
	return s.audit(ctx, tx, "", ActionCreate, added)
}

// missing returns those of shipped whose version is not in the shared catalogue, and whether there is a log of that.
func (s *Service) missing(ctx context.Context, shipped []firemode.Rule) (missing []firemode.Rule, logged bool, err error) {
	var present []firemode.Rule
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		if present, err = store.As[store.RuleReader](tx).Rules(ctx, ""); err != nil {
			return err
		}
		last, _, err := store.As[store.AuditReader](tx).AuditEnd(ctx, "")
		logged = last > 0
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("read the shared rules: %w", err)
	}
	book := rules.NewSet(present)
	for _, r := range shipped {
		if _, there := book.At(r.Code, r.Version); !there {
			missing = append(missing, r)
		}
	}
	return missing, logged, nil
}
