package rules

import (
	_ "embed" // for the data files of this package
	"errors"
	"fmt"
	"strings"

	"firemode"
)

//go:embed catalogue.json
var catalogueJSON string

// Catalogue returns the shared rules that FireMode ships, by code.
func Catalogue() ([]firemode.Rule, error) { return ParseCatalogue([]byte(catalogueJSON)) }

// catalogueFile is a set of rules with where they come from.
type catalogueFile struct {
	Catalogue  string            `json:"catalogue"`
	Version    string            `json:"version"`
	Disclaimer string            `json:"disclaimer"`
	Systems    map[string]string `json:"systems,omitempty"` // code → name
	Rules      []catalogueRule   `json:"rules"`
}

type catalogueRule struct {
	Document   `json:",inline"`
	Provenance *provenance `json:"provenance,omitempty"`
}

// provenance says how sure the facts of a rule are: A a public source states it, B general trade
// knowledge, C illustrative.
type provenance struct {
	Status      string `json:"status"`
	Frequencies string `json:"frequencies"`
	// PublishedExamples are conditions whose class a public source gives as an example.
	PublishedExamples []string          `json:"published_examples,omitempty"`
	Limits            map[string]string `json:"limits,omitempty"` // by measurement
}

// ParseCatalogue reads a catalogue file: {"catalogue", "version", "disclaimer", "rules": [a
// Document, with "provenance" if it is known]}. The disclaimer and the provenance go into each
// rule's Note, so that they are shown wherever the rule is. Errors are as ParseRule's, with fields
// named rules[n]; a (code, version) that is given twice is one.
func ParseCatalogue(data []byte) ([]firemode.Rule, error) {
	var file catalogueFile
	if err := decode(data, &file); err != nil {
		return nil, err
	}
	if len(file.Rules) == 0 {
		return nil, firemode.InvalidField("rules", "must hold at least one rule")
	}
	rs := make([]firemode.Rule, len(file.Rules))
	seen := map[string]bool{}
	for i, d := range file.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		d.Note = sentences(d.Note, d.Provenance.words(), file.Disclaimer)
		r, err := d.Rule()
		if err != nil {
			return nil, within(at, err)
		}
		key := d.RuleCode + " " + d.Version
		if seen[key] {
			return nil, firemode.InvalidField(at, "%s is given twice", key)
		}
		seen[key] = true
		rs[i] = r
	}
	return rs, nil
}

// words says p in sentences.
func (p *provenance) words() string {
	if p == nil {
		return ""
	}
	said := []string{fmt.Sprintf("Status: %s; frequencies: %s.", p.Status, confidence(p.Frequencies))}
	if len(p.PublishedExamples) > 0 {
		said = append(said,
			fmt.Sprintf("A public source gives the class of %s as an example; the other classes are illustrative.",
				strings.Join(p.PublishedExamples, ", ")))
	} else {
		said = append(said, "All classes are illustrative.")
	}
	for _, measurement := range sortedKeys(p.Limits) {
		said = append(said, fmt.Sprintf("Limit of %s: %s.", measurement, confidence(p.Limits[measurement])))
	}
	return strings.Join(said, " ")
}

func confidence(grade string) string {
	switch grade {
	case "A":
		return "stated by a public source"
	case "B":
		return "general trade knowledge"
	case "C":
		return "illustrative"
	}
	return grade
}

// detailsOf returns the details of an Invalid error.
func detailsOf(err error) []firemode.Detail {
	var e *firemode.Error
	if errors.As(err, &e) {
		return e.Details
	}
	return nil
}

// within names the fields of err below at.
func within(at string, err error) error {
	var wrong []firemode.Detail
	for _, d := range detailsOf(err) {
		wrong = append(wrong, firemode.Detail{Field: at + "." + d.Field, Reason: d.Reason})
	}
	return invalid(wrong)
}

// sentences joins texts, leaving out empty ones and closing each with a full stop.
func sentences(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t == "" {
			continue
		}
		if !strings.HasSuffix(t, ".") {
			t += "."
		}
		out = append(out, t)
	}
	return strings.Join(out, " ")
}
