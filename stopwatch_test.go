package firemode

import (
	"maps"
	"testing"
	"time"
)

func TestStopwatch(t *testing.T) {
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	wait := func(ms int) { at = at.Add(time.Duration(ms) * time.Millisecond) }
	var w Stopwatch
	w.Start(now, at)
	for _, lap := range []struct {
		ms    int
		stage Stage
	}{{1, StageOther}, {2, StageBody}, {4, StageQueue}, {8, StageMerge}, {16, StageQueue}, {0, StageCommit}} {
		wait(lap.ms)
		w.Lap(lap.stage)
	}
	got := map[string]time.Duration{}
	w.Each(func(s Stage, d time.Duration) { got[s.String()] = d / time.Millisecond })
	if want := map[string]time.Duration{"body": 2, "queue": 20, "merge": 8}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNoStopwatch(t *testing.T) {
	if w := StopwatchOf(t.Context()); w != nil {
		t.Errorf("a stopwatch out of nowhere: %v", w)
	}
	together := Together([]*Stopwatch{nil, nil})
	if together != nil {
		t.Error("a stopwatch for nobody")
	}
	together.Lap(StageMerge)
}
