package groupcommit_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"firemode/internal/groupcommit"
)

// The model is a list of who waits since when; whoever leaves is taken out of it, from wherever they stand.
func TestDepthIsThatOfWhoeverHasWaitedLongest(t *testing.T) {
	type waiting struct {
		place *groupcommit.Place
		since time.Time
	}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
		l := groupcommit.NewLine(func() time.Time { return now })
		var model []waiting
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
			if len(model) == 0 || rapid.Bool().Draw(t, "joins") {
				model = append(model, waiting{l.Join(), now})
			} else {
				i := rapid.IntRange(0, len(model)-1).Draw(t, "who leaves")
				gone := model[i].place
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
			if got := l.Depth(); got != want {
				t.Fatalf("depth %s, want %s", got, want)
			}
			if got := l.Waiting(); got != len(model) {
				t.Fatalf("%d wait, want %d", got, len(model))
			}
		}
	})
}

func TestNoLineIsNeverDeep(t *testing.T) {
	var l *groupcommit.Line
	p := l.Join()
	if d, n := l.Depth(), l.Waiting(); d != 0 || n != 0 {
		t.Errorf("depth %s, %d wait", d, n)
	}
	p.Leave()
}

func TestManyAtOnce(t *testing.T) {
	l := groupcommit.NewLine(time.Now)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				a, b := l.Join(), l.Join()
				l.Depth()
				a.Leave()
				b.Leave()
			}
		})
	}
	all.Wait()
	if d := l.Depth(); d != 0 {
		t.Errorf("depth %s of an empty line", d)
	}
}
