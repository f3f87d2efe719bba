package loadtest

import (
	"fmt"
	"strconv"
	"strings"
)

// Readback says what became of the changes that the server acknowledged.
type Readback struct {
	Acknowledged int    `json:"acknowledged"`
	Found        int    `json:"found"`      // once in the session's history
	Shown        int    `json:"shown"`      // of those found, in the document or in an open conflict
	Superseded   int    `json:"superseded"` // of those found, by a later change of the same writer
	Lost         []Lost `json:"lost"`       // at most maxLost
	LostCount    int    `json:"lost_count"`
	Error        string `json:"error,omitempty"` // why it could not be read back, "" when it was
}

// Lost is an acknowledged change that is not as it was promised.
type Lost struct {
	Value          string `json:"value"`
	Username       string `json:"username"`
	AcknowledgedAt string `json:"acknowledged_at"` // RFC 3339
	Fate           string `json:"fate"`
}

// maxLost is how many lost changes are named.
const maxLost = 20

// What can be wrong with an acknowledged change.
const (
	fateMissing = "not in the log"
	fateDoubled = "in the log more than once"
	fateHidden  = "in the log and alive, but neither shown nor in an open conflict"
	fateErased  = "in the log, superseded, but not by its own writer"
)

// entry is one change as the session's history has it.
type entry struct {
	value string
	dot   string // "actor:batch:index"
	live  bool
}

// log is what was read back after a run.
type log struct {
	entries map[string][]entry // by value
	newest  map[string]int64   // by actor, its last batch at the path
	shown   map[string]bool    // values in the document and in the open conflict
}

func newLog() *log {
	return &log{entries: map[string][]entry{}, newest: map[string]int64{}, shown: map[string]bool{}}
}

func (l *log) add(e entry) error {
	actor, batch, err := splitDot(e.dot)
	if err != nil {
		return err
	}
	l.entries[e.value] = append(l.entries[e.value], e)
	l.newest[actor] = max(l.newest[actor], batch)
	return nil
}

// splitDot returns the writer and the number of the batch that a dot names.
func splitDot(dot string) (actor string, batch int64, err error) {
	parts := strings.Split(dot, ":")
	if len(parts) != 3 {
		return "", 0, fmt.Errorf("%q is not a dot", dot)
	}
	batch, err = strconv.ParseInt(parts[1], 10, 64)
	return parts[0], batch, err
}

// fate says what is wrong with an acknowledged value, "" for nothing.
func (l *log) fate(value string) string {
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

func (l *log) replacedByOwner(e entry) bool {
	actor, batch, err := splitDot(e.dot)
	return err == nil && l.newest[actor] > batch
}

// judge compares what was acknowledged with what was read back. value and username tell the words for an ack.
func (l *log) judge(acknowledged []ack, value, username func(ack) string) Readback {
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
