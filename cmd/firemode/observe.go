package main

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"

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
func (s *services) sources(dataFolder string) telemetry.Sources {
	return telemetry.Sources{
		Pools: func() (pools []telemetry.Pool) {
			for _, p := range s.store.Stats().Pools {
				pools = append(pools, telemetry.Pool(p))
			}
			return pools
		},
		Queues: func() []telemetry.Queue {
			queues := []telemetry.Queue{{Name: sessions.Queue, Depth: s.sessions.Waiting()}, {Name: catalogue.Queue, Depth: s.catalogue.Waiting()}}
			for _, q := range s.store.Stats().Queues {
				queues = append(queues, telemetry.Queue(q))
			}
			return queues
		},
		Revocations: s.auth.Revocations,
		DataFolder:  func() (free, size uint64, ok bool) { return diskSpace(dataFolder) },
	}
}

// diskSpace tells what is left on the file system of dir to those who are not root.
func diskSpace(dir string) (free, size uint64, ok bool) {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return 0, 0, false
	}
	block := uint64(fs.Bsize) //nolint:gosec // a size is not negative
	return fs.Bavail * block, fs.Blocks * block, true
}

// countBacklog keeps the metrics of what is open up to date, until ctx ends. A failure is tried again at the next turn; the
// metrics tell how old they are.
func (s *services) countBacklog(ctx context.Context, o outside) error {
	tick := time.NewTicker(backlogInterval)
	defer tick.Stop()
	for {
		at := o.now()
		b, err := s.backlog(ctx)
		switch {
		case err == nil:
			o.metrics.BacklogCounted(b.Conflicts, b.Gaps, at)
		case ctx.Err() == nil:
			o.log.LogAttrs(ctx, slog.LevelWarn, "could not count what is open", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *services) backlog(ctx context.Context) (store.Backlog, error) {
	ctx, cancel := context.WithTimeout(ctx, backlogTimeout)
	defer cancel()
	return s.store.Backlog(ctx)
}
