package app

import (
	"context"
	"log/slog"
	"time"

	"firemode/internal/store"
)

const (
	// janitorInterval is short for the sake of what must not lie about long: encrypted answers of token exchanges live a minute.
	janitorInterval = time.Minute
	// answersKept is how long an Idempotency-Key is remembered.
	answersKept = 24 * time.Hour
	// answersAtOnce bounds one transaction of the janitor, so that nobody waits for it long.
	answersAtOnce = 1000
)

// part is a service that runs beside what callers ask for. It runs until ctx ends and returns nil then.
type part struct {
	name string
	run  func(context.Context) error
}

// background is what runs behind the API in a process with the role of c. What keeps a node's memory true runs on every node that serves.
func (s *Services) background(c Server, d Deps) []part {
	parts := []part{{serviceBacklog, func(ctx context.Context) error { return s.countBacklog(ctx, d) }}}
	if c.api() {
		parts = append(parts, part{serviceRevocations, s.Identity.Run}, part{serviceRules, s.Catalogue.Run},
			part{serviceWatch, func(ctx context.Context) error { return s.watch(ctx, d.Logger) }})
	}
	if c.worker() {
		parts = append(parts, part{serviceJanitor, func(ctx context.Context) error { return s.sweep(ctx, d.Logger, d.Now) }})
	}
	return parts
}

// sweep removes what has expired, now and every minute. A failure is tried again at the next turn.
func (s *Services) sweep(ctx context.Context, log *slog.Logger, now func() time.Time) error {
	tick := time.NewTicker(janitorInterval)
	defer tick.Stop()
	for {
		if err := s.removeExpired(ctx, now()); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "could not remove what has expired", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// removeExpired may run twice, and on several nodes at once.
func (s *Services) removeExpired(ctx context.Context, now time.Time) error {
	if _, err := s.Identity.Janitor(ctx, now); err != nil {
		return err
	}
	for removed := answersAtOnce; removed == answersAtOnce; {
		err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
			removed, err = store.As[store.ResponseWriter](tx).DeleteResponses(ctx, now.Add(-answersKept), answersAtOnce)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
