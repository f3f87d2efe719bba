package groupcommit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"firemode/internal/groupcommit"
)

func TestDo_DuringAGroup_JoinsTheNextGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{gate: make(chan struct{})}
		c := groupcommit.New(3, r.run)
		results := queueUp(t.Context(), c, 1, 2, 3, 4, 5, 6)
		close(r.gate)
		for i, a := range results {
			if err := <-a; err != nil {
				t.Errorf("item %d: %v", i+1, err)
			}
		}
		c.Close()
		if want := [][]int{{1}, {2, 3, 4}, {5, 6}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

func TestDo_OutcomesDiffer_EachItemGetsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		odd := errors.New("odd")
		r := &recorder{gate: make(chan struct{}), outcome: func(items []int) []error {
			out := make([]error, len(items))
			for i, item := range items {
				if item%2 == 1 {
					out[i] = odd
				}
			}
			return out
		}}
		c := groupcommit.New(10, r.run)
		results := queueUp(t.Context(), c, 0, 1, 2, 3)
		close(r.gate)
		for i, want := range []error{nil, odd, nil, odd} {
			if err := <-results[i]; err != want {
				t.Errorf("item %d: got %v, want %v", i, err, want)
			}
		}
		c.Close()
		if want := [][]int{{0}, {1, 2, 3}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v: an outcome of an item's own is final", r.seen(), want)
		}
	})
}

func TestDo_GroupUndone_ItemsAreRetriedOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("13 is bad")
		r := &recorder{gate: make(chan struct{}), outcome: func(items []int) []error {
			if slices.Contains(items, 13) {
				return groupcommit.Undone(len(items), bad)
			}
			return nil
		}}
		c := groupcommit.New(10, r.run)
		results := queueUp(t.Context(), c, 1, 2, 13, 3)
		close(r.gate)
		for i, want := range []error{nil, nil, bad, nil} {
			if err := <-results[i]; err != want {
				t.Errorf("item %d: got %v, want %v", i, err, want)
			}
		}
		c.Close()
		if want := [][]int{{1}, {2, 13, 3}, {2}, {13}, {3}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

func TestDo_GroupOfOneUndone_RunsOnce(t *testing.T) {
	bad := errors.New("bad")
	r := &recorder{outcome: func(items []int) []error { return groupcommit.Undone(len(items), bad) }}
	c := groupcommit.New(10, r.run)
	defer c.Close()
	if err := c.Do(t.Context(), 7); err != bad {
		t.Errorf("got %v, want %v", err, bad)
	}
	if want := [][]int{{7}}; !equalGroups(r.seen(), want) {
		t.Errorf("groups %v, want %v", r.seen(), want)
	}
}

func TestDo_Panic_FailsItsGroupOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{gate: make(chan struct{}), outcome: func(items []int) []error {
			if slices.Contains(items, 2) {
				panic("two is too many")
			}
			return nil
		}}
		c := groupcommit.New(2, r.run)
		results := queueUp(t.Context(), c, 1, 2, 3, 4)
		close(r.gate)
		for i, panics := range []bool{false, true, true, false} {
			err := <-results[i]
			if panics != (err != nil && strings.Contains(err.Error(), "two is too many")) {
				t.Errorf("item %d: got %v, want the panic: %v", i+1, err, panics)
			}
		}
		c.Close()
		if want := [][]int{{1}, {2, 3}, {4}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

func TestDo_WrongNumberOfOutcomes_FailsTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{gate: make(chan struct{}), outcome: func([]int) []error { return []error{nil, nil} }}
		c := groupcommit.New(10, r.run)
		results := queueUp(t.Context(), c, 1)
		close(r.gate)
		err := <-results[0]
		if want := "groupcommit: run returned 2 outcomes for 1 items"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		c.Close()
	})
}

func TestDo_CallerGivesUp_HandedOverItemStillRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{gate: make(chan struct{})}
		c := groupcommit.New(10, r.run)
		ctx, leave := context.WithCancel(t.Context())
		handedOver := queueUp(ctx, c, 1)[0]
		waiting := queueUp(ctx, c, 2)[0]
		staying := queueUp(t.Context(), c, 3)[0]
		leave()
		for _, a := range []chan error{handedOver, waiting} {
			if err := <-a; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
		}
		close(r.gate)
		if err := <-staying; err != nil {
			t.Error(err)
		}
		c.Close()
		// Item 1 had been handed over and was run; item 2 had not, and never is.
		if want := [][]int{{1}, {3}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
	})
}

func TestDo_ContextIsOver_NothingRuns(t *testing.T) {
	r := &recorder{}
	c := groupcommit.New(10, r.run)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if err := c.Do(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	c.Close()
	if len(r.seen()) != 0 {
		t.Errorf("groups %v, want none", r.seen())
	}
}

func TestDo_CallersGiveUp_GroupContextGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		seen := make(chan error, 1)
		c := groupcommit.New(10, func(ctx context.Context, _ []int) []error {
			<-gate
			seen <- ctx.Err()
			return nil
		})
		ctx, leave := context.WithCancel(t.Context())
		result := queueUp(ctx, c, 1)[0]
		leave()
		<-result
		close(gate)
		if err := <-seen; err != nil {
			t.Errorf("the group's context: %v", err)
		}
		c.Close()
	})
}

func TestClose_QueuedItems_RunFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{gate: make(chan struct{})}
		c := groupcommit.New(2, r.run)
		results := queueUp(t.Context(), c, 1, 2, 3, 4)
		closed := make(chan struct{})
		go func() {
			c.Close()
			close(closed)
		}()
		synctest.Wait()
		if err := c.Do(t.Context(), 5); err != groupcommit.ErrClosed {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
		select {
		case <-closed:
			t.Error("Close returned before what was queued had run")
		default:
		}
		close(r.gate)
		<-closed
		for i, a := range results {
			if err := <-a; err != nil {
				t.Errorf("item %d: %v", i+1, err)
			}
		}
		if want := [][]int{{1}, {2, 3}, {4}}; !equalGroups(r.seen(), want) {
			t.Errorf("groups %v, want %v", r.seen(), want)
		}
		c.Close()
	})
}

func TestDo_ManyCallers_EachItemRunsOnce(t *testing.T) {
	counts := make([]int, 2000) // written by the worker alone, read after Close
	c := groupcommit.New(64, func(_ context.Context, items []int) []error {
		for _, item := range items {
			counts[item]++
		}
		return nil
	})
	var callers sync.WaitGroup
	for i := range counts {
		callers.Go(func() {
			if err := c.Do(t.Context(), i); err != nil {
				t.Errorf("item %d: %v", i, err)
			}
		})
	}
	callers.Wait()
	c.Close()
	for i, n := range counts {
		if n != 1 {
			t.Fatalf("item %d was run %d times", i, n)
		}
	}
}

// recorder is a run function that remembers its groups. Each group waits at the gate, when there is
// one.
type recorder struct {
	mu      sync.Mutex
	groups  [][]int
	gate    chan struct{}
	outcome func(items []int) []error
}

func (r *recorder) run(_ context.Context, items []int) []error {
	r.mu.Lock()
	r.groups = append(r.groups, slices.Clone(items))
	r.mu.Unlock()
	if r.gate != nil {
		<-r.gate
	}
	if r.outcome != nil {
		return r.outcome(items)
	}
	return nil
}

func (r *recorder) seen() [][]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.groups)
}

// queueUp starts Do for each item and waits until all of them stand in the queue (or in the first
// group), in order.
func queueUp(ctx context.Context, c *groupcommit.Collector[int], items ...int) []chan error {
	out := make([]chan error, len(items))
	for i, item := range items {
		out[i] = make(chan error, 1)
		go func() { out[i] <- c.Do(ctx, item) }()
		synctest.Wait()
	}
	return out
}

func equalGroups(a, b [][]int) bool {
	return slices.EqualFunc(a, b, func(x, y []int) bool { return slices.Equal(x, y) })
}
