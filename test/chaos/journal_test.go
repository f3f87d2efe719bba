package chaos

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
)

// journal is what clients know of what they did. Every change carries a number of its own, by which
// it is found again.
type journal struct {
	mu       sync.Mutex
	last     int64
	acked    map[int64]bool // by number; false for what was sent and not acknowledged yet
	audits   map[firemode.AuditID]int64
	dots     map[int64]crdt.Dot // of the changes of phones, who count for themselves
	count    int                // of acknowledged changes
	problems []string
}

func newJournal() *journal {
	return &journal{acked: map[int64]bool{}, audits: map[firemode.AuditID]int64{}, dots: map[int64]crdt.Dot{}}
}

// send returns the number for a new change.
func (j *journal) send() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	j.acked[j.last] = false
	return j.last
}

// ack notes that the server says that a change is durable.
func (j *journal) ack(numbers ...int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range numbers {
		if !j.acked[n] {
			j.acked[n] = true
			j.count++
		}
	}
}

// audited notes the audit entry that was answered to a classification.
func (j *journal) audited(id firemode.AuditID, n int64) {
	j.ack(n)
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, twice := j.audits[id]; twice {
		j.problems = append(j.problems, fmt.Sprintf("the audit entry %s was answered twice", id))
	}
	j.audits[id] = n
}

func (j *journal) problem(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.problems = append(j.problems, fmt.Sprintf(format, args...))
}

func (j *journal) acknowledged() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.count
}

// findings is how often each number was found.
type findings map[int64]int

// add counts the number in a value or a reason that a client wrote.
func (f findings) add(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		f[n]++
	}
	return err
}

// verdict compares what was found with what was sent.
type verdict struct {
	acked, lost, doubled, strange int
}

func (j *journal) compare(found findings) (v verdict) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for n, acked := range j.acked {
		if acked {
			v.acked++
			if found[n] == 0 {
				v.lost++
			}
		}
		if found[n] > 1 {
			v.doubled++
		}
	}
	for n := range found {
		if _, sent := j.acked[n]; !sent {
			v.strange++
		}
	}
	return v
}

// complain fails the test for everything that is wrong.
func (j *journal) complain(t *testing.T, where string, v verdict) {
	t.Helper()
	if v.lost+v.doubled+v.strange > 0 {
		t.Errorf("%s: of %d acknowledged changes %d are lost, %d are there more than once; %d were never sent", where,
			v.acked, v.lost, v.doubled, v.strange)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, p := range j.problems {
		if i == 10 {
			t.Errorf("and %d more", len(j.problems)-i)
			break
		}
		t.Error(p)
	}
	j.problems = nil
}

// await returns when n more changes are acknowledged: clients get on. Meanwhile it does what else
// has to be done, now and then.
func (j *journal) await(t *testing.T, n int, meanwhile ...func()) {
	t.Helper()
	from := j.acknowledged()
	for until := time.Now().Add(patience); j.acknowledged() < from+n; time.Sleep(time.Millisecond) {
		for _, do := range meanwhile {
			do()
		}
		if time.Now().After(until) {
			t.Fatalf("only %d changes have been acknowledged in %s", j.acknowledged()-from, patience)
		}
	}
}
