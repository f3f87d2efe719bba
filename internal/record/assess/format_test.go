package assess_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
)

// Every format has a folder of cases in testdata, which its README describes.
const formats = 1

func TestCheckFormat(t *testing.T) {
	for format, want := range map[int]string{
		0: "session format 0 is unknown to this binary, which knows formats 1 to 1",
		1: "",
		2: "session format 2 is unknown to this binary, which knows formats 1 to 1",
	} {
		if got := errorText(assess.CheckFormat(format)); got != want {
			t.Errorf("format %d: %q, want %q", format, got, want)
		}
	}
}

func TestDerivationOf_CurrentFormat_IsNewestAndHasCases(t *testing.T) {
	if firemode.CurrentFormat != formats {
		t.Errorf("new sessions have format %d, and there are cases of %d formats", firemode.CurrentFormat, formats)
	}
	for format := 1; format <= formats; format++ {
		if err := assess.CheckFormat(format); err != nil {
			t.Error(err)
		}
	}
}

func TestDerivation_EffectiveTime(t *testing.T) {
	eachLine(t, "effective_time.txt", func(t *testing.T, d assess.Derivation, input []string) string {
		at, flag := d.EffectiveTime(moment(t, input[0]), moment(t, input[1]), moment(t, input[2]))
		return strings.TrimSpace(time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.000000") + " " + flag)
	})
}

func TestDerivation_Flags(t *testing.T) {
	eachLine(t, "flags.txt", func(t *testing.T, d assess.Derivation, input []string) string {
		op := crdt.Op{Kind: crdt.Kind(input[1]), Path: crdt.Pointer(input[2])}
		if len(input) > 3 {
			op.Value = crdt.Value(strings.Join(input[3:], " "))
		}
		var item *firemode.Item
		if input[0] == "listed" {
			item = &firemode.Item{ID: "E1", Checks: []firemode.Check{{Rule: "FE-01", Version: "1.0.0"}}}
		}
		return strings.Join(d.Flags(op, item), " ")
	})
}

func TestDerivation_Items(t *testing.T) {
	for format := 1; format <= formats; format++ {
		files, err := filepath.Glob(fmt.Sprintf("testdata/format%d/items/*.txt", format))
		if err != nil || len(files) == 0 {
			t.Fatalf("format %d: %d cases, %v", format, len(files), err)
		}
		for _, file := range files {
			t.Run(fmt.Sprintf("%d/%s", format, strings.TrimSuffix(filepath.Base(file), ".txt")), func(t *testing.T) {
				text, err := os.ReadFile(file)
				must(t, err)
				input, want, found := strings.Cut(string(text), "----\n")
				if !found {
					t.Fatal("no line ----")
				}
				if got := assessed(t, assess.DerivationOf(format), input); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// eachLine runs derive on each line "input -> output" of a file of each format.
func eachLine(t *testing.T, file string, derive func(*testing.T, assess.Derivation, []string) string) {
	t.Helper()
	for format := 1; format <= formats; format++ {
		text, err := os.ReadFile(fmt.Sprintf("testdata/format%d/%s", format, file))
		must(t, err)
		for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if strings.HasPrefix(line, "#") {
				continue
			}
			input, want, found := strings.Cut(line, "->")
			if !found {
				t.Fatalf("%s:%d: no ->", file, i+1)
			}
			got := derive(t, assess.DerivationOf(format), strings.Fields(input))
			if got != strings.TrimSpace(want) {
				t.Errorf("format %d, %s:%d: got %q, want %q", format, file, i+1, got, strings.TrimSpace(want))
			}
		}
	}
}

// assessed returns what follows from the input of a case about one item.
func assessed(t *testing.T, d assess.Derivation, input string) string {
	t.Helper()
	st := crdt.NewState(func(crdt.ActorID) crdt.Ranges { return nil })
	item := &firemode.Item{ID: "E1"}
	disputed := false
	for i, line := range strings.Split(strings.TrimSpace(input), "\n") {
		fields := strings.Fields(line)
		switch {
		case line == "" || fields[0] == "#":
		case fields[0] == "checks":
			for _, check := range fields[1:] {
				rule, version, _ := strings.Cut(check, "@")
				item.Checks = append(item.Checks, firemode.Check{Rule: firemode.RuleCode(rule), Version: version})
			}
		case fields[0] == "unlisted":
			item = nil
		case fields[0] == "disputed":
			disputed = true
		default:
			st.Load(operation(t, i+1, fields))
		}
	}
	session := firemode.Session{CreatedAt: day(2)}
	lookup := d.Rules(ruleSet(), item, session)
	var checks []firemode.Check
	if item != nil {
		checks = item.Checks
	}
	r := d.Read(st, "E1", lookup, checks)
	var out strings.Builder
	for _, p := range d.Basis("E1", item, lookup) {
		if strings.Contains(string(p), "/measurements/") { // the others are always there, see basis_test.go
			fmt.Fprintf(&out, "basis %s\n", p)
		}
	}
	fmt.Fprintf(&out, "outcome %q, checks %v, reason %q, touched %t\n", r.Outcome, r.Checks, r.Reason, r.Touched)
	for _, f := range r.Findings {
		fmt.Fprintf(&out, "finding %s %s %s, %s times, first by %s\n",
			f.Rule.Code, f.Rule.Version, f.Condition, f.Count, f.First.Dot)
		c := d.Classify(f)
		fmt.Fprintf(&out, "  %s, default %s, %s: %q\n", c.Class, c.Default, c.Basis, c.Reason)
	}
	state, missing := d.Assess(r, checks, disputed)
	fmt.Fprintf(&out, "%s\n", state)
	for _, m := range missing {
		fmt.Fprintf(&out, "  %s\n", m)
	}
	last := d.LastResult(st, "E1")
	fmt.Fprintf(&out, "last result %q", last.Outcome)
	for _, name := range slices.Sorted(maps.Keys(last.Measurements)) {
		fmt.Fprintf(&out, " %s=%s", name, last.Measurements[name])
	}
	return out.String() + "\n"
}

// operation parses "kind path value @rank". It is batch number of client a.
func operation(t *testing.T, number int, fields []string) crdt.Op {
	t.Helper()
	op := crdt.Op{
		Dot: crdt.Dot{Actor: "a", Batch: int64(number)}, Kind: crdt.Kind(fields[0]),
		Path: crdt.Pointer("/items/E1" + fields[1]),
		Time: int64(number), Origin: &crdt.Origin{},
	}
	fields = fields[2:]
	if n := len(fields) - 1; n >= 0 && strings.HasPrefix(fields[n], "@") {
		rank, err := strconv.ParseInt(fields[n][1:], 10, 64)
		must(t, err)
		op.Time, fields = rank, fields[:n]
	}
	op.Value = crdt.Value(strings.Join(fields, " "))
	return op
}

func ruleSet() *rules.Set {
	yes := true
	extinguisher := firemode.Rule{
		Code: "FE-01", Version: "1.0.0", CreatedAt: day(1),
		Schema: firemode.RuleSchema{
			Classifications: map[string]firemode.Class{
				"pressure_low": firemode.ClassNonCritical, "discharged": firemode.ClassNonConformance,
			},
			Escalations: map[string]firemode.Escalation{
				"pressure_low": {
					To: firemode.ClassCritical, When: []firemode.ScopeTest{{Input: "only_unit_in_area", Is: &yes}},
				},
			},
		},
	}
	newer := extinguisher
	newer.Version, newer.CreatedAt = "1.1.0", day(3)
	hose := firemode.Rule{
		Code: "HR-01", Version: "1.0.0", CreatedAt: day(1),
		Schema: firemode.RuleSchema{
			Classifications: map[string]firemode.Class{"flow_below_minimum": firemode.ClassCritical},
			Limits: []firemode.Limit{
				{Measurement: "flow_lps", Unit: "L/s", Min: "0.45", Condition: "flow_below_minimum"},
			},
		},
	}
	return rules.NewSet([]firemode.Rule{extinguisher, newer, hose})
}

func day(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }

// moment parses a time of day on a fixed day, "-" for none.
func moment(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "-" {
		return time.Time{}
	}
	at, err := time.Parse("2006-01-02T15:04:05.000000", "2026-03-01T"+s)
	must(t, err)
	return at
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
