package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

// soon is how long a test waits for what must come at once.
const soon = 30 * time.Second

// watch watches s until the test ends, and returns what it is told.
func watch(t testing.TB, s store.Database) <-chan store.Topic {
	t.Helper()
	told := make(chan store.Topic, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func(topic store.Topic) { told <- topic }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Watch returned %v when its context had ended", err)
		}
	})
	wantTopics(t, told, store.Topics()...)
	return told
}

// wantTopics wants exactly these, in order.
func wantTopics(t testing.TB, told <-chan store.Topic, want ...store.Topic) {
	t.Helper()
	for _, topic := range want {
		select {
		case got := <-told:
			if got != topic {
				t.Fatalf("told of %s, want %s", got, topic)
			}
		case <-time.After(soon):
			t.Fatalf("never told of %s", topic)
		}
	}
}

func watchTests() []test {
	return []test{
		{"a watcher is told of what was committed, and of nothing else", func(t *testing.T, s store.Database) {
			told := watch(t, s)
			createRules(t, s, newRule("o", code, "1.0.0"), newRule("", code, "1.0.0"))
			wantTopics(t, told, store.TopicRules)
			err := s.Update(t.Context(), func(tx store.Tx) error { // undone
				return errors.Join(store.As[store.TokenWriter](tx).CreateRevocation(t.Context(),
					firemode.Revocation{Family: "f", ExpiresAt: day(10)}), errTest)
			})
			equal(t, errors.Is(err, errTest), true)
			update(t, s, func(ctx context.Context, tx store.Tx) error { return createOrg(ctx, tx, "a") })
			deactivate(t, s, "o", "1.0.0")
			wantTopics(t, told, store.TopicRules)
			deactivate(t, s, "o", "1.0.0") // changes nothing
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.TokenWriter](tx).CreateRevocation(ctx, firemode.Revocation{
					Family:    "g",
					ExpiresAt: day(10),
				})
			})
			wantTopics(t, told, store.TopicRevocations)
			equal(t, len(told), 0)
		}},
		{"what a watcher is told of can be read", func(t *testing.T, s store.Database) {
			told := watch(t, s)
			for n := 1; n <= 20; n++ {
				update(t, s, func(ctx context.Context, tx store.Tx) error {
					return store.As[store.TokenWriter](tx).CreateRevocation(ctx, firemode.Revocation{Family: name("f",
						n), ExpiresAt: day(10)})
				})
				wantTopics(t, told, store.TopicRevocations)
				equal(t, len(revocationsSince(t, s, 0, day(0))), n)
			}
		}},
		{"every watcher is told", func(t *testing.T, s store.Database) {
			first, second := watch(t, s), watch(t, s)
			createRules(t, s, newRule("o", code, "1.0.0"))
			wantTopics(t, first, store.TopicRules)
			wantTopics(t, second, store.TopicRules)
		}},
		{"the depth is the time that Updates wait to begin, and Views do not wait with them", depth},
	}
}

// depth holds more Updates than any engine runs at once.
func depth(t *testing.T, s store.Database) {
	equal(t, s.Stats().Wait, 0)
	release := make(chan struct{})
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if err := s.Update(t.Context(), func(store.Tx) error {
				<-release
				return nil
			}); err != nil {
				t.Errorf("Update: %v", err)
			}
		})
	}
	var last time.Duration
	for range 3 { // it grows with the time
		last = until(t, "an Update waits", func() (time.Duration, bool) {
			d := s.Stats().Wait
			return d, d > last
		})
	}
	equal(t, orgs(t, s), nil)
	close(release)
	all.Wait()
	equal(t, s.Stats().Wait, 0)
}

// until asks again and again until the answer is the wanted one.
func until[T any](t testing.TB, what string, ask func() (T, bool)) T {
	t.Helper()
	deadline, again := time.After(soon), time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		if v, ok := ask(); ok {
			return v
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		}
	}
}
