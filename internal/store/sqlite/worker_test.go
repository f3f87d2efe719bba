package sqlite

import (
	"context"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

// A writer that dies, and is not started again at once, leaves nobody waiting: not whom it was
// serving, not who waits, and not who comes. What was committed is there, and so is what comes when
// it is back.
func TestAWriterThatDies(t *testing.T) {
	var work func(context.Context) error
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	died := make(chan struct{}, 1)
	begin := func() {
		ended := false
		defer func() {
			if !ended {
				died <- struct{}{}
			}
		}()
		ended = work(ctx) == nil
	}
	s, err := Open(t.Context(), Config{
		Path:      filepath.Join(t.TempDir(), "firemode.db"),
		Supervise: func(w func(context.Context) error) { work = w; go begin() },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	add := func(id string) error {
		return s.Update(t.Context(), func(tx store.Tx) error { return createOrg(t.Context(), tx, id, "") })
	}
	if err := add("before"); err != nil {
		t.Fatal(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	lost, waiting := make(chan error, 1), make(chan error, 1)
	go func() {
		lost <- s.Update(t.Context(), func(tx store.Tx) error {
			close(held)
			<-release
			if err := createOrg(t.Context(), tx, "lost", ""); err != nil {
				t.Error(err)
			}
			runtime.Goexit()
			return nil
		})
	}()
	<-held
	go func() { waiting <- add("waiting") }()
	for len(s.writer.queue) == 0 {
		time.Sleep(time.Millisecond) // the queue has no way to say that it has come
	}
	close(release)
	for name, answer := range map[string]error{
		"in its hands": <-lost, "in the queue": <-waiting,
		"later": add("later"),
	} {
		if firemode.CodeOf(answer) != firemode.CodeUnavailable {
			t.Errorf("%s: got %v", name, answer)
		}
	}
	<-died
	go begin()
	s.writer.await(t)
	if err := add("after"); err != nil {
		t.Error(err)
	}
	if n := countOrgs(t, s); n != 2 {
		t.Errorf("%d organisations, want the one before and the one after", n)
	}
	cancel() // as a stop does
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := add("too late"); firemode.CodeOf(err) != firemode.CodeUnavailable {
		t.Errorf("after the stop: %v", err)
	}
}

// await returns when there is a writer.
func (w *writer) await(t *testing.T) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(time.Millisecond) {
		select {
		case <-w.liveness.Down():
		default:
			return
		}
	}
	t.Fatal("there is no writer")
}
