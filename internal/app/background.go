package app

import (
	"context"
	"log/slog"
	"time"

	"firemode/internal/store"
)

const (
	// janitorInterval is short because encrypted responses of token exchanges may be kept for one
	// minute only.
	janitorInterval = time.Minute
	// responsesKept is how long an Idempotency-Key is remembered.
	responsesKept = 24 * time.Hour
	// responsesPerDelete limits one transaction of the janitor, so that it never holds up other
	// writers for long.
	responsesPerDelete = 1000
	// backlogInterval is the time between two counts. A count reads an index, and nobody needs the
	// result within seconds.
	backlogInterval = 15 * time.Second
	backlogTimeout  = 5 * time.Second
)

// job is a supervised service that runs beside the API. run works until ctx ends, and then returns
// nil.
type job struct {
	name string
	run  func(context.Context) error
}

// background returns the jobs of a node with the role of c. Jobs that keep the caches of a node
// current run on every node that serves the API.
func (s *Services) background(c Server, d Deps) []job {
	jobs := []job{{serviceBacklog, func(ctx context.Context) error { return s.countBacklog(ctx, d) }}}
	if c.api() {
		jobs = append(jobs, job{serviceRevocations, s.Identity.Run}, job{serviceRules, s.Catalogue.Run},
			job{serviceWatch, func(ctx context.Context) error { return s.followChanges(ctx, d.Logger) }})
	}
	if c.worker() {
		jobs = append(jobs, job{serviceJanitor, func(ctx context.Context) error { return s.runJanitor(ctx, d) }})
	}
	return jobs
}

// every calls work immediately and then once per interval, until ctx ends.
func every(ctx context.Context, interval time.Duration, work func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		work()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// runJanitor deletes expired rows every minute until ctx ends. The next turn retries after a
// failure.
func (s *Services) runJanitor(ctx context.Context, d Deps) error {
	every(ctx, janitorInterval, func() {
		if err := s.deleteExpired(ctx, d.Now()); err != nil && ctx.Err() == nil {
			d.Logger.WarnContext(ctx, "could not delete expired rows", "error", err)
		}
	})
	return nil
}

// deleteExpired deletes the rows that are expired at now. It may run twice, and on several nodes at
// once.
func (s *Services) deleteExpired(ctx context.Context, now time.Time) error {
	if _, err := s.Identity.Janitor(ctx, now); err != nil {
		return err
	}
	for deleted := responsesPerDelete; deleted == responsesPerDelete; {
		err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
			responses := store.As[store.ResponseWriter](tx)
			deleted, err = responses.DeleteResponses(ctx, now.Add(-responsesKept), responsesPerDelete)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// countBacklog keeps the metrics of open conflicts and gaps current until ctx ends. The next turn
// retries after a failure; one of the metrics is the time of the last count.
func (s *Services) countBacklog(ctx context.Context, d Deps) error {
	every(ctx, backlogInterval, func() {
		at := d.Now()
		b, err := s.backlog(ctx)
		switch {
		case err == nil:
			d.Metrics.BacklogCounted(b.Conflicts, b.Gaps, at)
		case ctx.Err() == nil:
			d.Logger.WarnContext(ctx, "could not count open conflicts and gaps", "error", err)
		}
	})
	return nil
}

func (s *Services) backlog(ctx context.Context) (store.Backlog, error) {
	ctx, cancel := context.WithTimeout(ctx, backlogTimeout)
	defer cancel()
	return s.Store.Backlog(ctx)
}

// followChanges reloads the caches as soon as another node has changed what they hold. While
// notifications fail, the services poll twice a second.
func (s *Services) followChanges(ctx context.Context, log *slog.Logger) error {
	return store.Follow(ctx, s.Store, func(topic store.Topic) {
		switch topic {
		case store.TopicRevocations:
			s.Identity.Changed()
		case store.TopicRules:
			s.Catalogue.Changed()
		}
	}, func(err error) {
		log.Warn("cannot receive notifications of changes by other nodes; polling instead", "error", err)
	})
}
