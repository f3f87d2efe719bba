package app

import (
	"context"
	"log/slog"

	"firemode/internal/store"
)

// watch has what is kept in memory renewed as soon as another node has changed it. While it cannot, the services find that out by
// looking twice a second.
func (s *Services) watch(ctx context.Context, log *slog.Logger) error {
	return store.Follow(ctx, s.Store, func(topic store.Topic) {
		switch topic {
		case store.TopicRevocations:
			s.Identity.Changed()
		case store.TopicRules:
			s.Catalogue.Changed()
		}
	}, func(err error) {
		log.Warn("what other nodes change is not told at once for now, and looked for instead", "error", err)
	})
}
