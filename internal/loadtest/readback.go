package loadtest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode/client"
)

// readbackTimeout limits the time of reading back.
const readbackTimeout = 10 * time.Minute

// readBack checks every acknowledged change. after is the number of the last entry of the session's
// log before the run.
func (e *engine) readBack(ctx context.Context, after int64) Readback {
	acknowledged := e.acks.all()
	ctx, cancel := context.WithTimeout(ctx, readbackTimeout)
	defer cancel()
	read, err := e.readHistory(ctx, after)
	if err != nil {
		return Readback{Acknowledged: len(acknowledged), Error: err.Error()}
	}
	return read.compare(acknowledged,
		func(a ack) string { return value(e.Run, int(a.user), a.number) },
		func(a ack) string { return e.accounts[int(a.user)%len(e.accounts)].Username })
}

// readHistory reads the history of the path since the run started, and what the document shows
// there.
func (e *engine) readHistory(ctx context.Context, after int64) (*history, error) {
	read, api := newHistory(), e.accounts[0].api
	for change, err := range api.History(ctx, e.Session, resultsPath) {
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", resultsPath, err)
		}
		if change.Sequence <= after {
			break
		}
		if err := read.add(entry{value: textOf(change.Value), dot: change.Dot, live: change.Live}); err != nil {
			return nil, err
		}
	}
	results, err := api.Results(ctx, e.Session, client.ResultsQuery{})
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return read, read.show(results)
}

// show stores what the document shows at the path: the value and every value of an open conflict.
func (l *history) show(r client.Results) error {
	var document client.Document
	if err := document.UnmarshalJSON(r.Document); err != nil {
		return err
	}
	if v, ok := document.Get(resultsPath); ok {
		l.shown[textOf(v)] = true
	}
	for _, c := range r.Conflicts {
		if c.Path != resultsPath {
			continue
		}
		for _, s := range c.Values {
			l.shown[textOf(s.Value)] = true
		}
	}
	return nil
}

// textOf returns the content of a JSON string, and any other JSON as it is written.
func textOf(v jsontext.Value) string {
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		return string(v)
	}
	return s
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// ack is one acknowledged change.
type ack struct {
	user   int32
	number int64
	at     time.Time
}

// acks collects the acknowledged changes. It is safe for concurrent use.
type acks struct {
	mu   sync.Mutex
	list []ack
}

func (a *acks) add(one ack) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, one)
}

func (a *acks) all() []ack {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.list
}

// Readback compares the acknowledged changes with the session after the run.
type Readback struct {
	Acknowledged int    `json:"acknowledged"`
	Found        int    `json:"found"`      // exactly once in the history of the session
	Shown        int    `json:"shown"`      // of those found, in the document or in an open conflict
	Superseded   int    `json:"superseded"` // of those found, by a later change of the same writer
	Lost         []Lost `json:"lost"`       // at most maxLost
	LostCount    int    `json:"lost_count"`
	Error        string `json:"error,omitempty"` // why the session could not be read, "" if it was
}

// Lost is an acknowledged change that violates the promise of its acknowledgement.
type Lost struct {
	Value          string `json:"value"`
	Username       string `json:"username"`
	AcknowledgedAt string `json:"acknowledged_at"` // RFC 3339
	Fate           string `json:"fate"`
}

// maxLost is the maximum number of lost changes that a report names.
const maxLost = 20

// The fates of a lost change.
const (
	fateMissing = "not in the log"
	fateDoubled = "in the log more than once"
	fateHidden  = "in the log and alive, but neither shown nor in an open conflict"
	fateErased  = "in the log, superseded, but not by its own writer"
)

// entry is one change in the history of the session.
type entry struct {
	value string
	dot   string // "actor:batch:index"
	live  bool
}

// history is what was read back after a run.
type history struct {
	entries map[string][]entry // by value
	newest  map[string]int64   // by actor: its last batch at the path
	shown   map[string]bool    // values in the document and in the open conflict
}

func newHistory() *history {
	return &history{entries: map[string][]entry{}, newest: map[string]int64{}, shown: map[string]bool{}}
}

func (l *history) add(e entry) error {
	actor, batch, err := splitDot(e.dot)
	if err != nil {
		return err
	}
	l.entries[e.value] = append(l.entries[e.value], e)
	l.newest[actor] = max(l.newest[actor], batch)
	return nil
}

// splitDot returns the actor and the batch number of a dot.
func splitDot(dot string) (actor string, batch int64, err error) {
	parts := strings.Split(dot, ":")
	if len(parts) != 3 {
		return "", 0, fmt.Errorf("%q is not a dot", dot)
	}
	batch, err = strconv.ParseInt(parts[1], 10, 64)
	return parts[0], batch, err
}

// fate returns what is wrong with an acknowledged value, "" if nothing is.
func (l *history) fate(value string) string {
	switch found := l.entries[value]; {
	case len(found) == 0:
		return fateMissing
	case len(found) > 1:
		return fateDoubled
	case found[0].live && !l.shown[value]:
		return fateHidden
	case !found[0].live && !l.replacedByOwner(found[0]):
		return fateErased
	default:
		return ""
	}
}

func (l *history) replacedByOwner(e entry) bool {
	actor, batch, err := splitDot(e.dot)
	return err == nil && l.newest[actor] > batch
}

// compare compares the acknowledged changes with what was read back. value and username return the
// value and the user of an ack.
func (l *history) compare(acknowledged []ack, value, username func(ack) string) Readback {
	r := Readback{Acknowledged: len(acknowledged)}
	for _, a := range acknowledged {
		v := value(a)
		fate := l.fate(v)
		if found := l.entries[v]; len(found) == 1 {
			r.Found++
			if found[0].live && l.shown[v] {
				r.Shown++
			} else if fate == "" {
				r.Superseded++
			}
		}
		if fate == "" {
			continue
		}
		r.LostCount++
		if len(r.Lost) < maxLost {
			r.Lost = append(r.Lost, Lost{Value: v, Username: username(a), AcknowledgedAt: stamp(a.at), Fate: fate})
		}
	}
	return r
}
