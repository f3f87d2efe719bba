package store

import (
	"context"
	"time"
)

// Topic is a part of the data that nodes keep in memory.
type Topic string

// The topics of Watch.
const (
	TopicRevocations Topic = "revocations" // CreateRevocation
	TopicRules       Topic = "rules"       // whatever moves RulesStamp
)

// Topics is all of them.
func Topics() []Topic { return []Topic{TopicRevocations, TopicRules} }

const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// Follow watches s until ctx ends; then it returns nil. A watch that is lost is begun again, after a second, or later the more often
// in a row it fails, a minute at most; lost is told why. Meanwhile nothing is told: whoever relies on changed must look by
// itself as well.
func Follow(ctx context.Context, s Watcher, changed func(Topic), lost func(error)) error {
	pause := firstPause
	for {
		err := s.Watch(ctx, func(t Topic) {
			pause = firstPause
			changed(t)
		})
		if ctx.Err() != nil {
			return nil
		}
		lost(err)
		again := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			again.Stop()
			return nil
		case <-again.C:
		}
		pause = min(2*pause, lastPause)
	}
}
