package app

import (
	"context"

	"golang.org/x/mod/sumdb/note"

	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/record/ledger"
	"firemode/internal/record/verify"
)

// Verifier returns what verifies the store of these services. A server may be running on the same data.
func (s *Services) Verifier(report verify.Report, progress func(line string)) (*verify.Verifier, error) {
	key, err := note.NewVerifier(ledger.PublicKey(s.Keys.History()))
	if err != nil {
		return nil, err
	}
	scratch := &ScratchStores{}
	return &verify.Verifier{
		Store: s.Store, Merge: s.Merge, Key: key,
		Scratch:     func(ctx context.Context) (verify.Scratch, error) { return scratch.New(ctx) },
		Recomputers: []verify.Recomputer{catalogue.Recomputer{}, defects.Recomputer{}},
		Report:      report, Progress: progress,
	}, nil
}
