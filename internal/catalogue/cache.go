package catalogue

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

const (
	// pollInterval is the time between two polls of Run, unless Config says otherwise.
	pollInterval = 500 * time.Millisecond
	// pollTimeout bounds one poll.
	pollTimeout = 2 * time.Second
)

// cacheEntry holds the rule set of one organisation.
type cacheEntry struct {
	mu    sync.Mutex                // held while loading, so that one request loads and the others wait
	stamp int64                     // of the rule set, under mu
	set   atomic.Pointer[rules.Set] // nil: to be loaded
}

// RuleSet returns the rules that org sees. It reads the store only if they are not cached.
func (s *Service) RuleSet(ctx context.Context, org firemode.OrgID) (*rules.Set, error) {
	entry := s.cacheEntry(org)
	if set := entry.set.Load(); set != nil {
		return set, nil
	}
	entry.mu.Lock()
	defer entry.mu.Unlock()
	if set := entry.set.Load(); set != nil {
		return set, nil
	}
	return s.load(ctx, org, entry)
}

// load reads the rules of org and their stamp from one snapshot. The caller holds entry.mu.
func (s *Service) load(ctx context.Context, org firemode.OrgID, entry *cacheEntry) (*rules.Set, error) {
	var rs []firemode.Rule
	var stamp int64
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		reader := store.As[store.RuleReader](tx)
		if stamp, err = reader.RulesStamp(ctx, org); err != nil {
			return err
		}
		rs, err = reader.Rules(ctx, org)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load the rules of organisation %q: %w", org, err)
	}
	set := rules.NewSet(rs)
	entry.stamp = stamp
	entry.set.Store(set)
	return set, nil
}

func (s *Service) cacheEntry(org firemode.OrgID) *cacheEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, ok := s.cache[org]
	if !ok {
		entry = &cacheEntry{}
		s.cache[org] = entry
	}
	return entry
}

// invalidate drops the rule set of org from the cache; a write to the shared catalogue, org "",
// drops all. It waits for loads that may have begun before the write.
func (s *Service) invalidate(org firemode.OrgID) {
	for name, entry := range s.cached() {
		if org == "" || name == org {
			entry.mu.Lock()
			entry.set.Store(nil)
			entry.mu.Unlock()
		}
	}
}

// cached returns a copy of the cache.
func (s *Service) cached() map[firemode.OrgID]*cacheEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.cache)
}

// Run polls for rules that another node has changed, after each Changed and at every poll interval,
// until ctx ends; then it returns nil. It drops what changed from the cache, and reports a failed
// poll to Config.OnError.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.changed:
		}
		if err := s.pollOnce(ctx); err != nil && ctx.Err() == nil {
			s.onError(err)
		}
	}
}

// Changed makes Run poll immediately: another node may have changed rules.
func (s *Service) Changed() {
	select {
	case s.changed <- struct{}{}:
	default: // a poll is due already
	}
}

// pollOnce drops every rule set from the cache whose stamp is no longer that of the store.
func (s *Service) pollOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	entries := s.cached()
	now := make(map[firemode.OrgID]int64, len(entries))
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		reader := store.As[store.RuleReader](tx)
		for org := range entries {
			stamp, err := reader.RulesStamp(ctx, org)
			if err != nil {
				return err
			}
			now[org] = stamp
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("poll for changed rules: %w", err)
	}
	for org, entry := range entries {
		entry.mu.Lock()
		if entry.stamp != now[org] {
			entry.set.Store(nil)
		}
		entry.mu.Unlock()
	}
	return nil
}
