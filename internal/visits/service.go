// Package visits plans service visits, which the API calls test sessions: what is due, who works on
// it, and when the visit is completed or reopened.
//
// It promises that a session keeps the rule versions and items it was created with, that each
// change of its status is part of its log, and that it is completed only if no Gate refuses.
// Results are merged by record/merge and shown by record/view. It does not check roles; a session
// that the caller may not see is not found.
package visits

import (
	"context"
	"errors"
	"io"

	"firemode"
	"firemode/internal/record/merge"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// RuleSets returns the rules that an organisation sees, from memory.
type RuleSets interface {
	RuleSet(ctx context.Context, org firemode.OrgID) (*rules.Set, error)
}

// Config is what a Service needs beside the store.
type Config struct {
	NewID func() string // mints ids that sort by time
	Rand  io.Reader     // source of the secrets of sessions
	Rules RuleSets
	Merge *merge.Service
	Gates []Gate // of other features, after those of this package
}

// Service creates, changes and lists sessions. It is safe for concurrent use.
type Service struct {
	Config
	store store.Store
}

// New returns a Service on s, or an error that names what the configuration lacks.
func New(s store.Store, c Config) (*Service, error) {
	if s == nil || c.NewID == nil || c.Rand == nil || c.Rules == nil || c.Merge == nil {
		return nil, errors.New("visits: no store, id source, random source, rule sets or merge")
	}
	return &Service{c, s}, nil
}
