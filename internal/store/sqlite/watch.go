package sqlite

import (
	"context"
	"sync"

	"firemode/internal/store"
)

// watchers are the running calls of Watch.
type watchers struct {
	mu  sync.RWMutex
	all map[*watcher]struct{}
}

type watcher struct{ changed func(store.Topic) }

// Watch reports the Updates of this store. It does not see what another process writes into the
// file: callers must poll for that.
func (s *Store) Watch(ctx context.Context, changed func(store.Topic)) error {
	one := &watcher{changed}
	s.watchers.add(one)
	defer s.watchers.remove(one)
	for _, topic := range store.Topics() {
		changed(topic)
	}
	<-ctx.Done()
	return nil
}

func (w *watchers) add(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[*watcher]struct{}{}
	}
	w.all[one] = struct{}{}
}

func (w *watchers) remove(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, one)
}

// report is called by the Update that changed topics, once it is durable.
func (w *watchers) report(topics []store.Topic) {
	if len(topics) == 0 {
		return
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	for one := range w.all {
		for _, topic := range topics {
			one.changed(topic)
		}
	}
}
