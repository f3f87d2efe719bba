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

// nurse is a Start that restarts the work when it is told to.
type nurse struct {
	work func(context.Context) error
	ctx  context.Context
	died chan struct{}
}

func newNurse(ctx context.Context) *nurse { return &nurse{ctx: ctx, died: make(chan struct{}, 1)} }

func (n *nurse) start(work func(context.Context) error) {
	n.work = work
	n.again()
}

func (n *nurse) again() {
	go func() {
		ended := false
		defer func() {
			if !ended {
				n.died <- struct{}{}
			}
		}()
		ended = n.work(n.ctx) == nil
	}()
}

// A worker that dies takes nobody with it: those in its hands are told to try again, and so are those that wait for it, and those that
// come, once it has been away for a second.
func TestAWorkerThatDiesLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		die := true
		r := &recorder{gate: make(chan struct{}), answer: func([]int) []error {
			if die {
				runtime.Goexit()
			}
			return nil
		}}
		n := newNurse(t.Context())
		c := groupcommit.New(2, r.run)
		c.Supervise(n.start)
		answers := queueUp(t.Context(), c, 1, 2)
		close(r.gate)
		begun := time.Now()
		for i, want := range []error{groupcommit.ErrLost, groupcommit.ErrDown} {
			if err := <-answers[i]; err != want || firemode.CodeOf(err) != firemode.CodeUnavailable {
				t.Errorf("item %d: got %v, want %v", i+1, err, want)
			}
			if waited := time.Since(begun); waited != time.Duration(i)*time.Second {
				t.Errorf("item %d: answered after %s", i+1, waited)
			}
		}
		<-n.died
		if err := c.Do(t.Context(), 3); err != groupcommit.ErrDown {
			t.Errorf("without a worker: got %v, want ErrDown", err)
		}
		die = false
		n.again()
		synctest.Wait()
		if err := c.Do(t.Context(), 4); err != nil {
			t.Errorf("with a worker again: %v", err)
		}
		c.Close()
		if want := [][]int{{1}, {4}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

// Who waits for a worker that is soon back does not notice.
func TestAWorkerThatIsSoonBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		die := true
		r := &recorder{gate: make(chan struct{}), answer: func([]int) []error {
			if die {
				runtime.Goexit()
			}
			return nil
		}}
		n := newNurse(t.Context())
		c := groupcommit.New(2, r.run)
		c.Supervise(n.start)
		answers := queueUp(t.Context(), c, 1, 2, 3)
		close(r.gate)
		<-n.died
		die = false
		time.Sleep(time.Second - 1)
		n.again()
		for i, want := range []error{groupcommit.ErrLost, nil, nil} {
			if err := <-answers[i]; err != want {
				t.Errorf("item %d: got %v, want %v", i+1, err, want)
			}
		}
		time.Sleep(time.Minute) // no wait is left that could end
		if err := c.Do(t.Context(), 4); err != nil {
			t.Error(err)
		}
		c.Close()
		if want := [][]int{{1}, {2, 3}, {4}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

// Items that had their answer keep it when the worker dies over another of their group.
func TestOnlyWhatWasInItsHandsIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{gate: make(chan struct{}), answer: func(items []int) []error {
			if slices.Equal(items, []int{2}) {
				runtime.Goexit()
			}
			if len(items) > 1 {
				return groupcommit.Undone(len(items), context.DeadlineExceeded)
			}
			return nil
		}}
		c := groupcommit.New(3, r.run)
		answers := queueUp(t.Context(), c, 0, 1, 2, 3)
		close(r.gate)
		for i, want := range []error{nil, nil, groupcommit.ErrLost, groupcommit.ErrLost} {
			if err := <-answers[i]; err != want {
				t.Errorf("item %d: got %v, want %v", i, err, want)
			}
		}
		synctest.Wait() // the worker is back on its own
		if err := c.Do(t.Context(), 4); err != nil {
			t.Error(err)
		}
		c.Close()
	})
}

func TestCloseWithoutAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNurse(t.Context())
		c := groupcommit.New(1, func(context.Context, []int) []error { runtime.Goexit(); return nil })
		c.Supervise(n.start)
		if err := c.Do(t.Context(), 1); err != groupcommit.ErrLost {
			t.Errorf("got %v, want ErrLost", err)
		}
		<-n.died
		c.Close()
		c.Close()
		if err := c.Do(t.Context(), 2); err != groupcommit.ErrClosed {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

// The end of the worker's context is a Close: what was brought before is run.
func TestTheEndOfTheWorkersContextDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := newNurse(ctx)
		r := &recorder{gate: make(chan struct{})}
		c := groupcommit.New(1, r.run)
		c.Supervise(n.start)
		answers := queueUp(t.Context(), c, 1, 2, 3)
		cancel()
		synctest.Wait()
		if err := c.Do(t.Context(), 4); err != groupcommit.ErrClosed {
			t.Errorf("after the end: got %v, want ErrClosed", err)
		}
		close(r.gate)
		for i, a := range answers {
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

// The context of a group has the values of the worker's, so that whoever runs it can tell whose work it is, and does not end with it.
func TestAGroupRunsInTheWorkersName(t *testing.T) {
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
	c.Supervise(newNurse(ctx).start)
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
