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

// Topics returns all topics.
func Topics() []Topic { return []Topic{TopicRevocations, TopicRules} }

const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// Follow watches w until ctx ends; then it returns nil. It calls lost with the error of a watch
// that ends early and restarts the watch after a second, twice as long after each failure in a row,
// and at most a minute. Meanwhile changes are not reported: callers must also poll.
func Follow(ctx context.Context, w Watcher, changed func(Topic), lost func(error)) error {
	pause := firstPause
	for {
		err := w.Watch(ctx, func(t Topic) {
			pause = firstPause
			changed(t)
		})
		if ctx.Err() != nil {
			return nil
		}
		lost(err)
		retry := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			retry.Stop()
			return nil
		case <-retry.C:
		}
		pause = min(2*pause, lastPause)
	}
}
