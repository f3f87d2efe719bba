package httpapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// receipt is the answer to a batch.
type receipt struct {
	Status              string
	Applied, Duplicates int
	Results             []struct {
		Index          int
		Status, Reason string
		Conflict       *conflict
	}
	Clock     map[string]int64 `json:"vector_clock"`
	Missing   [][2]int64
	Flags     []string
	Conflicts []conflict
}

// statuses are those of the changes, in order.
func (r receipt) statuses() string {
	var all []string
	for i, c := range r.Results {
		if c.Index != i {
			return fmt.Sprintf("result %d has index %d", i, c.Index)
		}
		all = append(all, c.Status)
	}
	return strings.Join(all, " ")
}

type conflict struct {
	ID, Path, Kind string
	Count          int
	Values         []sibling
}

// dots are those of the siblings, in order of dot.
func (c conflict) dots() []string {
	var all []string
	for _, s := range c.Values {
		all = append(all, s.Dot)
	}
	slices.Sort(all)
	return all
}

// String is kind and path with the values, the shown one first.
func (c conflict) String() string {
	var values []string
	for _, s := range c.Values {
		values = append(values, s.Path+string(s.Value))
	}
	return fmt.Sprintf("%s %s %s", c.Kind, c.Path, strings.Join(values, " "))
}

type sibling struct {
	Dot, Path, Op, User string
	Client              string     `json:"client_id"`
	SubmittedBy         string     `json:"submitted_by"`
	CapturedAt          *time.Time `json:"captured_at"`
	ReceivedAt          time.Time  `json:"received_at"`
	Value, Instrument   jsontext.Value
	Reason              string
	Flags               []string
}

// merged is the merged document.
type merged struct {
	Clock     map[string]int64 `json:"vector_clock"`
	Cursor    string
	Complete  bool
	Document  jsontext.Value
	Conflicts []conflict
	Removed   []string
	Late      []struct {
		Client  string `json:"client_id"`
		Number  int64
		User    string
		Changes jsontext.Value
	}
}

// disputes are the conflicts in words, in order of path.
func (a merged) disputes() []string {
	var all []string
	for _, c := range a.Conflicts {
		all = append(all, c.String())
	}
	return all
}

// conflictAt returns the conflict at path, which must be there.
func (a merged) conflictAt(t *testing.T, path string) conflict {
	t.Helper()
	i := slices.IndexFunc(a.Conflicts, func(c conflict) bool { return c.Path == path })
	if i < 0 {
		t.Fatalf("no conflict at %s, only %v", path, a.disputes())
	}
	return a.Conflicts[i]
}
