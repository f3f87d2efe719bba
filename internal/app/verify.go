package app

import (
	"context"

	"golang.org/x/mod/sumdb/note"

	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/record/ledger"
	"firemode/internal/record/verify"
)

// Verifier returns a verifier of the stored data. A server may be running on it. report gets the
// differences, progress a line for each part that was verified.
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
