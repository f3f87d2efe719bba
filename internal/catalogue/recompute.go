package catalogue

import (
	"context"
	"fmt"

	"firemode"
	"firemode/internal/record/verify"
	"firemode/internal/store"
)

// Recomputer holds rule versions and deactivations against the audit log, and the shared ones against what this
// binary ships.
type Recomputer struct{}

var _ verify.Recomputer = Recomputer{}

// Recompute begins with one organisation, "" for the shared catalogue.
func (Recomputer) Recompute(org firemode.OrgID) verify.Recomputation {
	return &recomputation{NewAudited(), org}
}

type recomputation struct {
	*Audited
	org firemode.OrgID
}

// Organisation compares the rules that the organisation sees.
func (r *recomputation) Organisation(ctx context.Context, tx store.ReadTx, report verify.Report) (string, error) {
	n, err := r.Verify(ctx, tx, r.org, report)
	return fmt.Sprintf("%d rule versions", n), err
}

// Session compares nothing: sessions pin versions, and have none of their own.
func (*recomputation) Session(verify.SessionScope) verify.SessionRecomputation { return nil }
