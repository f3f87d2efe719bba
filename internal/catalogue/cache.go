package catalogue

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"firemode"
	"firemode/internal/rules"
	"firemode/internal/store"
)

const (
	// renewal is how often Run looks for rules that changed elsewhere, unless Config says otherwise.
	renewal = 500 * time.Millisecond
	// renewalTimeout is how long one look may take before the next is better.
	renewalTimeout = 2 * time.Second
)

// shelf keeps the book of one organisation.
type shelf struct {
	mu     sync.Mutex             // held while loading, so that one request loads and the others wait
	stamp  int64                  // of the book, under mu
	loaded atomic.Pointer[volume] // nil: to be loaded
}

type volume struct{ book *rules.Set }

// Book returns the rules that org sees, from memory; the first time they are loaded.
func (s *Service) RuleSet(ctx context.Context, org firemode.OrgID) (*rules.Set, error) {
	shelf := s.shelf(org)
	if v := shelf.loaded.Load(); v != nil {
		return v.book, nil
	}
	shelf.mu.Lock()
	defer shelf.mu.Unlock()
	if v := shelf.loaded.Load(); v != nil {
		return v.book, nil
	}
	return s.load(ctx, org, shelf)
}

// load reads the book of org and its stamp from one snapshot. The caller holds shelf.mu.
func (s *Service) load(ctx context.Context, org firemode.OrgID, shelf *shelf) (*rules.Set, error) {
	var rs []firemode.Rule
	var stamp int64
	err := s.store.View(ctx, func(tx store.ReadTx) (err error) {
		if stamp, err = store.As[store.RuleReader](tx).RulesStamp(ctx, org); err != nil {
			return err
		}
		rs, err = store.As[store.RuleReader](tx).Rules(ctx, org)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load the rules of organisation %q: %w", org, err)
	}
	book := rules.NewSet(rs)
	shelf.stamp = stamp
	shelf.loaded.Store(&volume{book})
	return book, nil
}

func (s *Service) shelf(org firemode.OrgID) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.shelves[org]
	if !ok {
		found = &shelf{}
		s.shelves[org] = found
	}
	return found
}

// forget makes the next question of org load its book anew; a write of the shared catalogue, org "", concerns everybody. It
// waits for a load that may have begun before the write.
func (s *Service) forget(org firemode.OrgID) {
	for name, shelf := range s.snapshot() {
		if org == "" || name == org {
			shelf.mu.Lock()
			shelf.loaded.Store(nil)
			shelf.mu.Unlock()
		}
	}
}

func (s *Service) snapshot() map[firemode.OrgID]*shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[firemode.OrgID]*shelf, len(s.shelves))
	for org, shelf := range s.shelves {
		out[org] = shelf
	}
	return out
}

// Run renews the books that changed elsewhere, when Changed says that some may have and every half second besides, until ctx ends;
// then it returns nil.
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
		if err := s.renew(ctx); err != nil && ctx.Err() == nil {
			s.onError(err)
		}
	}
}

// Changed has Run look at once: rules may have changed elsewhere.
func (s *Service) Changed() {
	select {
	case s.changed <- struct{}{}:
	default: // Run has yet to begin the look that was asked for before
	}
}

// renew forgets every loaded book whose stamp is no longer the store's.
func (s *Service) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewalTimeout)
	defer cancel()
	shelves := s.snapshot()
	now := make(map[firemode.OrgID]int64, len(shelves))
	err := s.store.View(ctx, func(tx store.ReadTx) error {
		for org := range shelves {
			stamp, err := store.As[store.RuleReader](tx).RulesStamp(ctx, org)
			if err != nil {
				return err
			}
			now[org] = stamp
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for changed rules: %w", err)
	}
	for org, shelf := range shelves {
		shelf.mu.Lock()
		if shelf.stamp != now[org] {
			shelf.loaded.Store(nil)
		}
		shelf.mu.Unlock()
	}
	return nil
}
