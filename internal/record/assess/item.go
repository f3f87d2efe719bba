package assess

import (
	"encoding/json"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/rules"
)

// Record is what the document says about one item.
type Record struct {
	Outcome  string                       // of the item as a whole, "" for none
	Checks   map[firemode.RuleCode]string // outcomes of single checks
	Reason   string
	Findings []Finding // by rule code, then condition
	Touched  bool      // a live operation other than a removal is at the item or below it
}

// read takes Record from what st shows of an item, and its findings from what is live.
func read(st *crdt.State, id firemode.ItemID, rule RuleLookup, checks []firemode.Check) Record {
	r := Record{Checks: map[firemode.RuleCode]string{}}
	top := ItemPath(id)
	answers := map[firemode.RuleCode]*rules.Finding{}
	for _, reading := range st.Readings(top) {
		at := ParsePath(reading.Path)
		switch {
		case at.Field == "outcome" && len(at.Rest) == 0 && isOutcome(reading.Value):
			r.Outcome = stringOf(reading.Value)
		case at.Field == "reason" && len(at.Rest) == 0:
			r.Reason = stringOf(reading.Value)
		case at.Field == "checks" && len(at.Rest) == 1 && isOutcome(reading.Value):
			r.Checks[firemode.RuleCode(at.Rest[0])] = stringOf(reading.Value)
		case (at.Field == "scope" || at.Field == "override") && len(at.Rest) == 2:
			addAnswer(answers, at, reading.Value)
		}
	}
	found := map[string]*Finding{}
	summed := sums(st)
	st.EachLive(top, func(op *crdt.Op) {
		r.Touched = r.Touched || op.Kind != crdt.Remove
		for _, f := range findingsOf(summed(op), rule, checks) {
			key := string(f.Rule.Code) + "\x00" + f.Condition
			if known := found[key]; known == nil || op.Time < known.First.Time {
				found[key] = &f
			}
		}
	})
	for _, key := range slices.Sorted(maps.Keys(found)) {
		f := found[key]
		if a := answers[f.Rule.Code]; a != nil {
			f.Input.Scope, f.Input.Override = a.Scope, a.Override
		}
		r.Findings = append(r.Findings, *f)
	}
	return r
}

// addAnswer adds one answer about scope, or one half of an override, to the answers of its rule.
func addAnswer(answers map[firemode.RuleCode]*rules.Finding, at Path, v crdt.Value) {
	code := firemode.RuleCode(at.Rest[0])
	if answers[code] == nil {
		answers[code] = &rules.Finding{Scope: rules.Scope{}}
	}
	a := answers[code]
	if at.Field == "scope" {
		switch {
		case v.IsNumber():
			a.Scope[at.Rest[1]] = json.Number(v)
		case v == "true" || v == "false":
			a.Scope[at.Rest[1]] = v == "true"
		}
		return
	}
	if a.Override == nil {
		a.Override = &rules.Override{}
	}
	if at.Rest[1] == "classification" {
		a.Override.Class = firemode.Class(stringOf(v))
	} else {
		a.Override.Reason = stringOf(v)
	}
}

// lastResult takes the outcome and the measurements from what st shows of an item.
func lastResult(st *crdt.State, id firemode.ItemID) firemode.LastResult {
	r := firemode.LastResult{Measurements: map[string]string{}}
	for _, reading := range st.Readings(ItemPath(id)) {
		switch at := ParsePath(reading.Path); {
		case at.Field == "outcome" && len(at.Rest) == 0:
			r.Outcome = stringOf(reading.Value)
		case at.Field == "measurements" && len(at.Rest) == 1 && reading.Value.IsNumber():
			r.Measurements[at.Rest[0]] = string(reading.Value)
		}
	}
	return r
}
