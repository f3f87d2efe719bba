package rules_test

import (
	stdjson "encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/rules"
)

// vector is one case in testdata: the expectation is in the file's name. A good one is judged as it
// says; a fail one is refused with exactly the wrongs that it lists, by its rules or, if they are
// valid, by the judgement.
type vector struct {
	About   string            `json:"about"`
	Rules   []jsontext.Value  `json:"rules"` // Documents; none for the embedded catalogue
	Code    firemode.RuleCode `json:"code"`
	Version string            `json:"version"` // the version that the item pins; "" for the one in force
	Finding *struct {
		Condition   string                          `json:"observed_condition"`
		Measurement string                          `json:"measurement"`
		Value       stdjson.RawMessage              `json:"value"`
		Unit        string                          `json:"unit"`
		Scope       map[string]jsontext.Value       `json:"scope"`
		Override    *struct{ Class, Reason string } `json:"override"`
	} `json:"finding"`
	Want  *judgement `json:"want"`
	Wrong []string   `json:"wrong"` // "field: reason"
}

type judgement struct {
	Version      string         `json:"version"`
	Class        firemode.Class `json:"classification"`
	Default      firemode.Class `json:"default_classification"`
	Condition    string         `json:"condition"`
	Basis        string         `json:"basis"`
	Reason       string         `json:"reason"`
	WithinLimits bool           `json:"within_limits"`
}

func readVector(t *testing.T, file string) vector {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(data, &v, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

func (v vector) set() (*rules.Set, error) {
	if len(v.Rules) == 0 {
		rs, err := rules.Catalogue()
		return rules.NewSet(rs), err
	}
	var rs []firemode.Rule
	for _, text := range v.Rules {
		r, err := rules.ParseRule(text)
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	return rules.NewSet(rs), nil
}

func (v vector) finding(t *testing.T) rules.Finding {
	t.Helper()
	f := rules.Finding{
		Condition: v.Finding.Condition, Measurement: v.Finding.Measurement, Value: string(v.Finding.Value),
		Unit: v.Finding.Unit,
	}
	for input, text := range v.Finding.Scope {
		if f.Scope == nil {
			f.Scope = rules.Scope{}
		}
		decoder := stdjson.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		f.Scope[input] = value
	}
	if o := v.Finding.Override; o != nil {
		f.Override = &rules.Override{Class: firemode.Class(o.Class), Reason: o.Reason}
	}
	return f
}

// judge runs the vector to its end, or to its first error.
func (v vector) judge(t *testing.T) (judgement, error) {
	t.Helper()
	set, err := v.set()
	if err != nil || v.Finding == nil {
		return judgement{}, err
	}
	r, ok := set.InForce(v.Code)
	if v.Version != "" {
		r, ok = set.At(v.Code, v.Version)
	}
	if !ok {
		t.Fatalf("no rule %s %s", v.Code, v.Version)
	}
	j, err := rules.Classify(r, v.finding(t))
	return judgement{r.Version, j.Class, j.Default, j.Condition, j.Basis, j.Reason, j.WithinLimits}, err
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*_*.json")
	if err != nil {
		t.Fatal(err)
	}
	good, fail := 0, 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		switch {
		case strings.HasPrefix(name, "good_"):
			good++
			t.Run(name, func(t *testing.T) { testGood(t, readVector(t, file)) })
		case strings.HasPrefix(name, "fail_"):
			fail++
			t.Run(name, func(t *testing.T) { testFail(t, readVector(t, file)) })
		}
	}
	if good == 0 || fail == 0 {
		t.Fatalf("%d good and %d fail vectors", good, fail)
	}
}

func testGood(t *testing.T, v vector) {
	got, err := v.judge(t)
	if err != nil {
		t.Fatalf("%s: %v", v.About, err)
	}
	if v.Want != nil && got != *v.Want {
		t.Errorf("%s\n%s", v.About, cmp.Diff(*v.Want, got))
	}
}

func testFail(t *testing.T, v vector) {
	_, err := v.judge(t)
	if code := firemode.CodeOf(err); code != firemode.CodeInvalid {
		t.Fatalf("%s: got %v, want CodeInvalid", v.About, err)
	}
	if got := wrongs(err); !slices.Equal(got, v.Wrong) {
		t.Errorf("%s\n%s", v.About, cmp.Diff(v.Wrong, got))
	}
}

// wrongs returns the details of err as "field: reason".
func wrongs(err error) []string {
	var e *firemode.Error
	if !errors.As(err, &e) {
		return nil
	}
	out := make([]string, len(e.Details))
	for i, d := range e.Details {
		out[i] = d.Field + ": " + d.Reason
	}
	return out
}
