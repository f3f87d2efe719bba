package catalogue

import (
	"bytes"
	"context"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Verify calls report for every rule version that org sees and that is not what it was: its fingerprint is not the one that was
// stored when it was made or, in the shared catalogue, not the one that this binary ships. It returns how many versions there are.
func (s *Service) Verify(ctx context.Context, org firemode.OrgID, report func(r firemode.Rule, what string)) (int, error) {
	shipped, err := rules.Catalogue()
	if err != nil {
		return 0, err
	}
	ours := map[firemode.RuleCode]firemode.Rule{}
	for _, r := range shipped {
		ours[r.Code] = r
	}
	var seen []firemode.Rule
	err = s.store.View(ctx, func(tx store.ReadTx) error {
		seen, err = tx.Rules(ctx, org)
		return err
	})
	for _, r := range seen {
		now := rules.Fingerprint(r)
		if !bytes.Equal(now, r.Creation) {
			report(r, "its fingerprint is not the one that was stored when it was made")
		}
		if known, ok := ours[r.Code]; ok && r.Org == "" && r.Version == known.Version && !bytes.Equal(now, rules.Fingerprint(known)) {
			report(r, "it is not the rule that this version of FireMode ships")
		}
	}
	return len(seen), err
}
