package firemode

import (
	"sync"
	"time"
)

// Stage is a part of the time that a request takes.
type Stage int

// The stages.
const (
	StageOther  Stage = iota // everything that has no name: checking the token, encoding the answer
	StageBody                // reading and decoding the body
	StageQueue               // waiting for the transaction to begin
	StageMerge               // merging results, inside the transaction
	StageRecord              // writing a classification down, inside the transaction
	StageCommit              // from there until it is on the disk
	stages
)

func (s Stage) String() string {
	return [stages]string{"other", "body", "queue", "merge", "record", "commit"}[s]
}

// Stopwatch tells where the time of one request went. Start it before its first use. Any goroutine
// may use it, for a request can be answered while a group that carries it still works. A nil
// Stopwatch keeps nothing.
type Stopwatch struct {
	now     func() time.Time
	members []*Stopwatch // of one that stands for many, which keeps nothing itself

	mu    sync.Mutex
	last  time.Time
	spent [stages]time.Duration
}

// Start begins the first stage at a time that now has told.
func (w *Stopwatch) Start(now func() time.Time, at time.Time) {
	w.now, w.last = now, at
}

// Together returns a Stopwatch that stands for all of members: its laps are theirs. It is nil if
// all of them are.
func Together(members []*Stopwatch) *Stopwatch {
	together := &Stopwatch{}
	for _, m := range members {
		if m != nil {
			together.members = append(together.members, m)
			together.now = m.now
		}
	}
	if together.now == nil {
		return nil
	}
	return together
}

// Lap ends a stage: it is given the time since the lap before.
func (w *Stopwatch) Lap(ended Stage) {
	if w == nil {
		return
	}
	at := w.now()
	if w.members == nil {
		w.lap(ended, at)
	}
	for _, m := range w.members {
		m.lap(ended, at)
	}
}

func (w *Stopwatch) lap(ended Stage, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spent[ended] += at.Sub(w.last)
	w.last = at
}

// Each calls f with every stage that has taken any time, in the order in which a request goes
// through them; StageOther is left out.
func (w *Stopwatch) Each(f func(Stage, time.Duration)) {
	w.mu.Lock()
	spent := w.spent
	w.mu.Unlock()
	for s := StageOther + 1; s < stages; s++ {
		if spent[s] > 0 {
			f(s, spent[s])
		}
	}
}
