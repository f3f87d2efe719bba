package groupcommit_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"firemode/internal/groupcommit"
)

// The model is a list of tickets in order of arrivaq.
func TestWaitQueue_RandomJoinsAndLeaves_MatchesAList(t *testing.T) {
	type waiting struct {
		ticket *groupcommit.Ticket
		since  time.Time
	}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
		q := groupcommit.NewWaitQueue(func() time.Time { return now })
		var model []waiting
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
			if len(model) == 0 || rapid.Bool().Draw(t, "joins") {
				model = append(model, waiting{q.Join(), now})
			} else {
				i := rapid.IntRange(0, len(model)-1).Draw(t, "who leaves")
				gone := model[i].ticket
				gone.Leave()
				if rapid.Bool().Draw(t, "twice") {
					gone.Leave()
				}
				model = append(model[:i:i], model[i+1:]...)
			}
			want := time.Duration(0)
			if len(model) > 0 {
				want = now.Sub(model[0].since)
			}
			if got := q.LongestWait(); got != want {
				t.Fatalf("longest wait %s, want %s", got, want)
			}
			if got := q.Len(); got != len(model) {
				t.Fatalf("%d wait, want %d", got, len(model))
			}
		}
	})
}

func TestWaitQueue_Nil_IsEmpty(t *testing.T) {
	var q *groupcommit.WaitQueue
	p := q.Join()
	if d, n := q.LongestWait(), q.Len(); d != 0 || n != 0 {
		t.Errorf("longest wait %s, %d wait", d, n)
	}
	p.Leave()
}

func TestWaitQueue_ConcurrentUse_EndsEmpty(t *testing.T) {
	q := groupcommit.NewWaitQueue(time.Now)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				a, b := q.Join(), q.Join()
				q.LongestWait()
				a.Leave()
				b.Leave()
			}
		})
	}
	all.Wait()
	if d := q.LongestWait(); d != 0 {
		t.Errorf("longest wait %s of an empty queue", d)
	}
}
