package catalogue

import (
	"context"
	"fmt"
	"io"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// MaxImport is the greatest size of a catalogue file in bytes.
const MaxImport = 8 << 20

// Import adds the versions of a catalogue file (see rules.ParseCatalogue) to the rules of org, all
// of them or none; org "" is the shared catalogue. It returns how many versions it created, and how
// many existed with the same content. If versions exist with another content, it is CodeConflict
// and names them. An unknown organisation is CodeNotFound.
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
	defer s.invalidate(org)
	counts, err := store.Once(ctx, s.store, func(tx store.Tx) (counts [2]int, err error) {
		if org != "" {
			if _, err := store.As[store.OrganisationReader](tx).Organisation(ctx, org); err != nil {
				return counts, err
			}
		}
		by, _ := firemode.PrincipalFrom(ctx)
		by.Org = org
		added, kept, err := s.add(ctx, tx, by, rs)
		return [2]int{len(added), len(kept)}, err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("import rules: %w", err)
	}
	return counts[0], counts[1], nil
}
