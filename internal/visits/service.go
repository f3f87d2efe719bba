// Package visits is the service visit, which the API calls a test session: what is due at it, who works on it, and
// when it is completed or reopened.
//
// It promises that a session pins the rules and items it was made with, that each change of its status is part of
// its log, and that it is completed only while every Gate lets it pass. Results are merged by record/merge and shown by
// record/view. Which role may do what is decided before; what a caller may not see is not found.
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

// RuleSets gives the rules that an organisation sees, from memory.
type RuleSets interface {
	RuleSet(ctx context.Context, org firemode.OrgID) (*rules.Set, error)
}

// Config is what a Service needs beside the store.
type Config struct {
	NewID func() string // mints ids that sort by time
	Rand  io.Reader     // secrets of sessions
	Rules RuleSets
	Merge *merge.Service
	Gates []Gate // of other features, after those of this package
}

// Service plans visits and follows them to their end.
type Service struct {
	Config
	store store.Store
}

// New returns a Service on s, or what its configuration lacks.
func New(s store.Store, c Config) (*Service, error) {
	if s == nil || c.NewID == nil || c.Rand == nil || c.Rules == nil || c.Merge == nil {
		return nil, errors.New("visits: no store, id source, random source, rule sets or merge")
	}
	return &Service{c, s}, nil
}
