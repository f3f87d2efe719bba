package rules_test

import (
	"bytes"
	stdjson "encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/rules"
)

// TestDocumentsRoundTrip writes and reads each rule of the catalogue with both JSON packages that
// the project uses.
func TestDocumentsRoundTrip(t *testing.T) {
	for _, r := range catalogue(t) {
		for name, marshal := range map[string]func(any) ([]byte, error){
			"encoding/json":      stdjson.Marshal,
			"go-json-experiment": func(v any) ([]byte, error) { return json.Marshal(v) },
		} {
			text, err := marshal(rules.NewDocument(r))
			if err != nil {
				t.Fatalf("%s: %s: %v", name, r.Code, err)
			}
			back, err := rules.ParseRule(text)
			if err != nil {
				t.Fatalf("%s: %s: %v", name, r.Code, err)
			}
			if diff := cmp.Diff(r, back); diff != "" {
				t.Errorf("%s: %s:\n%s", name, r.Code, diff)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, text := range []string{
		"", "{", `{"rule_code": "A", "rule_code": "B"}`, `{} {}`, "[1", "{\"rule_name\": \"\xff\"}",
		`{"rule_schema": {"classification_mappings": {"a": "x", "a": "y"}}}`,
	} {
		if _, err := rules.ParseRule([]byte(text)); firemode.CodeOf(err) != firemode.CodeMalformed {
			t.Errorf("%q: %v, want CodeMalformed", text, err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	base := catalogue(t)[0]
	same := base
	same.Org, same.CreatedBy, same.CreatedAt, same.DeactivatedAt, same.Creation = "acme", "u", day(1), day(2), nil
	if !bytes.Equal(rules.Fingerprint(base), rules.Fingerprint(same)) {
		t.Error("the fingerprint depends on who made it, or when")
	}
	other := base
	other.Note += " More."
	if bytes.Equal(rules.Fingerprint(base), rules.Fingerprint(other)) {
		t.Error("another note has the same fingerprint")
	}
}

func TestCatalogueErrorsNameTheRule(t *testing.T) {
	const good = `{"rule_code": "A", "version": "1.0.0", "rule_name": "n", ` +
		`"rule_schema": {"classification_mappings": {"a": "not_tested"}}}`
	retitled := strings.Replace(good, `"rule_name"`, `"title"`, 1)
	listed := strings.Replace(good, `"n"`, `["n"]`, 1)
	for text, want := range map[string]string{
		`{"rules": []}`: "rules: must hold at least one rule",
		`{"rules": [` + good + `, ` + good + `]}`: "rules[1]: A 1.0.0 is given twice",
		`{"rules": [` + good + `, {"rule_code": "B"}]}`: "rules[1].version: " +
			"must be a semantic version such as 1.10.0, of at most 64 bytes",
		`{"rules": [` + retitled + `]}`:              "rules[0].title: is not known",
		`{"rules": [` + listed + `], "version": ""}`: "rules[0].rule_name: has the wrong type",
	} {
		if _, err := rules.ParseCatalogue([]byte(text)); firemode.CodeOf(err) != firemode.CodeInvalid ||
			err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

// FuzzParseRule: whatever is taken for a rule is valid, survives being written, and judges its own
// conditions.
func FuzzParseRule(f *testing.F) {
	files, err := filepath.Glob("testdata/*_*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v struct {
			Rules []jsontext.Value `json:"rules"`
		}
		if err := json.Unmarshal(data, &v); err != nil {
			f.Fatal(err)
		}
		for _, text := range v.Rules {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := rules.ParseRule(data)
		if err != nil {
			if code := firemode.CodeOf(err); code != firemode.CodeInvalid && code != firemode.CodeMalformed {
				t.Fatalf("got %v", err)
			}
			return
		}
		if err := rules.Check(r); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(rules.NewDocument(r))
		if err != nil {
			t.Fatal(err)
		}
		back, err := rules.ParseRule(text)
		if err != nil || !bytes.Equal(back.Creation, r.Creation) {
			t.Fatalf("%s\nread back as another rule: %v", text, err)
		}
		for condition, class := range r.Schema.Classifications {
			if j, err := rules.Classify(r, rules.Finding{Condition: condition}); err != nil || j.Class != class {
				t.Fatalf("%s: %+v, %v", condition, j, err)
			}
		}
	})
}
