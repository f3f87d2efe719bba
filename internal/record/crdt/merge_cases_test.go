package crdt_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/crdt"
)

// TestMerge runs the cases of testdata/merge, whose README describes their form.
func TestMerge(t *testing.T) {
	files, err := filepath.Glob("testdata/merge/*.txt")
	if err != nil || len(files) < 29 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			operations, want, found := strings.Cut(string(text), "----\n")
			if !found {
				t.Fatal("no line ----")
			}
			s := newServer(none)
			for _, step := range parseSteps(t, operations) {
				s.do(t, step)
			}
			got := string(s.state.Document()) + "\n"
			var ids []string
			for _, open := range s.conflicts() {
				got += describe(open.Path, string(open.Kind), open.Siblings) + "\n"
				ids = append(ids, open.ID)
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			slices.Sort(ids)
			if len(slices.Compact(ids)) != len(s.conflicts()) {
				t.Errorf("%d conflicts have the ids %q", len(s.conflicts()), ids)
			}
		})
	}
}

func TestMerge_LateBatch_ReportedSuperseded(t *testing.T) {
	s := newServer(none)
	s.do(t, post("A", 1, setA1))
	s.do(t, post("A", 3, setA3))
	m := s.do(t, post("A", 2, setA2, setB1))
	for i, a := range m.Added {
		if a.Live || !a.Superseded {
			t.Errorf("change %d of the late batch: live %v, superseded %v, want false, true", i, a.Live, a.Superseded)
		}
	}
	if len(m.Added) != 2 || len(m.Superseded) != 1 || m.Superseded[0].Dot.String() != "A:1:0" {
		t.Errorf("added %d, superseded %v", len(m.Added), m.Superseded)
	}
}

const (
	setA1     = `{"op":"set","path":"/a","value":1}`
	setA2     = `{"op":"set","path":"/a","value":2}`
	setA3     = `{"op":"set","path":"/a","value":3}`
	setB1     = `{"op":"set","path":"/a/b","value":1}`
	add1      = `{"op":"increment","path":"/a","delta":1}`
	removeA   = `{"op":"remove","path":"/a"}`
	settleTo1 = `{"op":"resolve","path":"/a","value":1,"conflict_id":"c","dots":["A:1:0","B:1:0"],"reason":"r"}`
	absent    = `{"op":"resolve","path":"/a","conflict_id":"c","dots":["A:1:0","B:1:0"],"reason":"no such thing"}`
	correctA1 = `{"op":"correct","path":"/a","value":3,"dot":"A:1:0","reason":"misread"}`
)

// caseStep is a step of a case: an actor posts a batch or pulls.
type caseStep struct {
	actor   crdt.ActorID
	pull    bool
	number  int64
	clock   crdt.Clock // as posted
	changes []string
	time    int64
}

func post(actor crdt.ActorID, number int64, changes ...string) caseStep {
	return caseStep{actor: actor, number: number, changes: changes}
}

func parseSteps(t *testing.T, text string) []caseStep {
	t.Helper()
	var steps []caseStep
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if change, indented := strings.CutPrefix(line, "  "); indented && len(steps) > 0 {
			last := &steps[len(steps)-1]
			last.changes = append(last.changes, change)
			continue
		}
		steps = append(steps, parseStep(t, strings.Fields(line)))
	}
	return steps
}

func parseStep(t *testing.T, words []string) caseStep {
	t.Helper()
	if len(words) == 2 && words[0] == "pull" {
		return caseStep{actor: crdt.ActorID(words[1]), pull: true}
	}
	if len(words) < 3 || words[0] != "post" || len(words)%2 == 0 {
		t.Fatalf("not a step: %q", words)
	}
	step := caseStep{actor: crdt.ActorID(words[1]), number: parseNumber(t, words[2]), clock: crdt.Clock{}}
	for pair := range slices.Chunk(words[3:], 2) {
		switch pair[0] {
		case "saw":
			actor, number, _ := strings.Cut(pair[1], ":")
			step.clock[crdt.ActorID(actor)] = parseNumber(t, number)
		case "at":
			step.time = parseNumber(t, pair[1])
		default:
			t.Fatalf("not a step: %q", words)
		}
	}
	return step
}

func parseNumber(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// do carries out a step and compares with the oracle.
func (s *server) do(t *testing.T, a caseStep) crdt.Merged {
	t.Helper()
	if a.pull {
		s.delivered[a.actor] = len(s.log)
		return crdt.Merged{}
	}
	b := crdt.Batch{
		Actor: a.actor, Number: a.number, Foreign: s.clamp(a.clock, a.actor), Changes: parsed(t, a.changes...),
	}
	logged := batch{actor: a.actor, number: a.number, foreign: b.Foreign}
	for i := range b.Changes {
		logged.ops = append(logged.ops, b.Ops(i, crdt.Stamp{Time: a.time})...)
	}
	before := s.truth()
	m := s.merge(logged)
	after := s.truth()
	if err := firstOf(s.compareState(after), compareReport(logged, m, before, after)); err != nil {
		t.Errorf("after\n%s%v", s, err)
	}
	return m
}

// parsed reads changes that must all be valid.
func parsed(t *testing.T, texts ...string) []crdt.Change {
	t.Helper()
	raw := make([]jsontext.Value, len(texts))
	for i, text := range texts {
		raw[i] = jsontext.Value(text)
	}
	changes, err := crdt.ParseChanges(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if c.Rejected != "" {
			t.Fatalf("%s: %s", c.Text, c.Rejected)
		}
	}
	return changes
}
