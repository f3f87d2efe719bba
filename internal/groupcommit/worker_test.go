package groupcommit_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"firemode"
	"firemode/internal/groupcommit"
)

// The callers whose items the worker had taken get ErrLost; those that wait, and later ones, get
// ErrDown after a second.
func TestWorker_Dies_NoCallerIsLeftWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		die := true
		r := &recorder{gate: make(chan struct{}), outcome: func([]int) []error {
			if die {
				runtime.Goexit()
			}
			return nil
		}}
		s := newSupervisor(t.Context())
		c := groupcommit.New(2, r.run)
		c.Supervise(s.start)
		results := queueUp(t.Context(), c, 1, 2)
		close(r.gate)
		begun := time.Now()
		for i, want := range []error{groupcommit.ErrLost, groupcommit.ErrDown} {
			if err := <-results[i]; err != want || firemode.CodeOf(err) != firemode.CodeUnavailable {
				t.Errorf("item %d: got %v, want %v", i+1, err, want)
			}
			if waited := time.Since(begun); waited != time.Duration(i)*time.Second {
				t.Errorf("item %d: after %s", i+1, waited)
			}
		}
		<-s.died
		if err := c.Do(t.Context(), 3); err != groupcommit.ErrDown {
			t.Errorf("without a worker: got %v, want ErrDown", err)
		}
		die = false
		s.restart()
		synctest.Wait()
		if err := c.Do(t.Context(), 4); err != nil {
			t.Errorf("after the restart: %v", err)
		}
		c.Close()
		if want := [][]int{{1}, {4}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

func TestWorker_RestartsWithinASecond_WaitingCallersAreServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		die := true
		r := &recorder{gate: make(chan struct{}), outcome: func([]int) []error {
			if die {
				runtime.Goexit()
			}
			return nil
		}}
		s := newSupervisor(t.Context())
		c := groupcommit.New(2, r.run)
		c.Supervise(s.start)
		results := queueUp(t.Context(), c, 1, 2, 3)
		close(r.gate)
		<-s.died
		die = false
		time.Sleep(time.Second - 1)
		s.restart()
		for i, want := range []error{groupcommit.ErrLost, nil, nil} {
			if err := <-results[i]; err != want {
				t.Errorf("item %d: got %v, want %v", i+1, err, want)
			}
		}
		time.Sleep(time.Minute) // no timer is left
		if err := c.Do(t.Context(), 4); err != nil {
			t.Error(err)
		}
		c.Close()
		if want := [][]int{{1}, {2, 3}, {4}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

func TestWorker_DiesInAGroup_FinishedItemsKeepTheirOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{gate: make(chan struct{}), outcome: func(items []int) []error {
			if slices.Equal(items, []int{2}) {
				runtime.Goexit()
			}
			if len(items) > 1 {
				return groupcommit.Undone(len(items), context.DeadlineExceeded)
			}
			return nil
		}}
		c := groupcommit.New(3, r.run)
		results := queueUp(t.Context(), c, 0, 1, 2, 3)
		close(r.gate)
		for i, want := range []error{nil, nil, groupcommit.ErrLost, groupcommit.ErrLost} {
			if err := <-results[i]; err != want {
				t.Errorf("item %d: got %v, want %v", i, err, want)
			}
		}
		synctest.Wait() // the worker has restarted
		if err := c.Do(t.Context(), 4); err != nil {
			t.Error(err)
		}
		c.Close()
	})
}

func TestClose_NoWorker_Returns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSupervisor(t.Context())
		c := groupcommit.New(1, func(context.Context, []int) []error { runtime.Goexit(); return nil })
		c.Supervise(s.start)
		if err := c.Do(t.Context(), 1); err != groupcommit.ErrLost {
			t.Errorf("got %v, want ErrLost", err)
		}
		<-s.died
		c.Close()
		c.Close()
		if err := c.Do(t.Context(), 2); err != groupcommit.ErrClosed {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

// The end of the worker's context closes the collector.
func TestWorker_ContextEnds_QueuedItemsRunFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSupervisor(ctx)
		r := &recorder{gate: make(chan struct{})}
		c := groupcommit.New(1, r.run)
		c.Supervise(s.start)
		results := queueUp(t.Context(), c, 1, 2, 3)
		cancel()
		synctest.Wait()
		if err := c.Do(t.Context(), 4); err != groupcommit.ErrClosed {
			t.Errorf("after the end: got %v, want ErrClosed", err)
		}
		close(r.gate)
		for i, a := range results {
			if err := <-a; err != nil {
				t.Errorf("item %d: %v", i+1, err)
			}
		}
		c.Close()
		if want := [][]int{{1}, {2}, {3}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

// The context of a group has the values of the worker's context and does not end with it.
func TestWorker_GroupContext_HasTheWorkersValues(t *testing.T) {
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "results"))
	begun, release := make(chan struct{}), make(chan struct{})
	c := groupcommit.New(1, func(ctx context.Context, _ []int) []error {
		close(begun)
		<-release
		if ctx.Value(key{}) != "results" || ctx.Err() != nil {
			t.Errorf("value %v, error %v", ctx.Value(key{}), ctx.Err())
		}
		return nil
	})
	c.Supervise(newSupervisor(ctx).start)
	done := make(chan error)
	go func() { done <- c.Do(t.Context(), 1) }()
	<-begun
	cancel()
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	c.Close()
}

// supervisor starts the work, and restarts it when the test asks for it.
type supervisor struct {
	work func(context.Context) error
	ctx  context.Context
	died chan struct{}
}

func newSupervisor(ctx context.Context) *supervisor {
	return &supervisor{ctx: ctx, died: make(chan struct{}, 1)}
}

func (s *supervisor) start(work func(context.Context) error) {
	s.work = work
	s.restart()
}

func (s *supervisor) restart() {
	go func() {
		ended := false
		defer func() {
			if !ended {
				s.died <- struct{}{}
			}
		}()
		ended = s.work(s.ctx) == nil
	}()
}
