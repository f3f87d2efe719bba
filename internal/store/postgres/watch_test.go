package postgres_test

import (
	"context"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/storetest/pgtest"
)

const soon = 30 * time.Second

// endWatches ends the connections that listen, and no others.
func endWatches(t *testing.T, url string) {
	t.Helper()
	exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "+
		"AND application_name = 'firemode watch'")
}

func revoke(t *testing.T, s store.Database, family string) {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return store.As[store.TokenWriter](tx).CreateRevocation(t.Context(), firemode.Revocation{
			Family:    family,
			ExpiresAt: time.Now().Add(time.Hour),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantTopics(t *testing.T, told <-chan store.Topic, want ...store.Topic) {
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

func TestWatchEndsWithItsConnection(t *testing.T) {
	url := pgtest.New(t)
	s := open(t, url)
	told, ended := make(chan store.Topic, 10), make(chan error, 1)
	go func() { ended <- s.Watch(t.Context(), func(topic store.Topic) { told <- topic }) }()
	wantTopics(t, told, store.Topics()...)
	endWatches(t, url)
	select {
	case err := <-ended:
		if firemode.CodeOf(err) != firemode.CodeUnavailable {
			t.Errorf("got %v", err)
		}
	case <-time.After(soon):
		t.Fatal("it goes on")
	}
}

// A node is told of the others' Updates, and when its connection is lost it catches up.
func TestFollowAcrossNodes(t *testing.T) {
	url := pgtest.New(t)
	here, there := open(t, url), open(t, url)
	ctx, stop := context.WithCancel(t.Context())
	told, lost, ended := make(chan store.Topic, 10), make(chan error, 10), make(chan error, 1)
	go func() {
		ended <- store.Follow(ctx, here, func(topic store.Topic) { told <- topic }, func(err error) { lost <- err })
	}()
	wantTopics(t, told, store.Topics()...)
	revoke(t, there, "a")
	wantTopics(t, told, store.TopicRevocations)
	endWatches(t, url)
	if err := <-lost; err == nil {
		t.Error("a lost watch without an error")
	}
	revoke(t, there, "b") // while nobody listens
	wantTopics(t, told, store.Topics()...)
	revoke(t, there, "c")
	wantTopics(t, told, store.TopicRevocations)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Follow returned %v", err)
	}
}
