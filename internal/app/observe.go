package app

import (
	"context"
	"log/slog"
	"time"

	"firemode/internal/catalogue"
	"firemode/internal/sessions"
	"firemode/internal/store"
	"firemode/internal/telemetry"
)

const (
	// backlogInterval is between two counts of what is open: it is a look into an index, and nobody acts on it within seconds.
	backlogInterval = 15 * time.Second
	backlogTimeout  = 5 * time.Second
)

// sources are what a scrape asks of the services.
func (s *Services) sources(dataFolder string) telemetry.Sources {
	return telemetry.Sources{
		Pools: func() (pools []telemetry.Pool) {
			for _, p := range s.Store.Stats().Pools {
				pools = append(pools, telemetry.Pool(p))
			}
			return pools
		},
		Queues: func() []telemetry.Queue {
			queues := []telemetry.Queue{{Name: sessions.Queue, Depth: s.Sessions.Waiting()}, {Name: catalogue.Queue, Depth: s.Catalogue.Waiting()}}
			for _, q := range s.Store.Stats().Queues {
				queues = append(queues, telemetry.Queue(q))
			}
			return queues
		},
		Revocations: s.Identity.Revocations,
		DataFolder: func() (free, size uint64, ok bool) {
			free, size, err := diskSpace(dataFolder)
			return free, size, err == nil
		},
	}
}

// countBacklog keeps the metrics of what is open up to date, until ctx ends. A failure is tried again at the next turn; the
// metrics tell how old they are.
func (s *Services) countBacklog(ctx context.Context, d Deps) error {
	tick := time.NewTicker(backlogInterval)
	defer tick.Stop()
	for {
		at := d.Now()
		b, err := s.backlog(ctx)
		switch {
		case err == nil:
			d.Metrics.BacklogCounted(b.Conflicts, b.Gaps, at)
		case ctx.Err() == nil:
			d.Logger.LogAttrs(ctx, slog.LevelWarn, "could not count what is open", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Services) backlog(ctx context.Context) (store.Backlog, error) {
	ctx, cancel := context.WithTimeout(ctx, backlogTimeout)
	defer cancel()
	return s.Store.Backlog(ctx)
}
