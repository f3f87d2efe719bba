package rules_test

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"firemode"
	"firemode/internal/rules"
)

func catalogue(t testing.TB) []firemode.Rule {
	t.Helper()
	rs, err := rules.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// TestEveryConditionClassifies walks the whole catalogue: by default the class is the mapping's,
// and what can escalate does so by each of its answers, but not beside one that prevents it.
func TestEveryConditionClassifies(t *testing.T) {
	for _, r := range catalogue(t) {
		for condition, class := range r.Schema.Classifications {
			wantClass(t, r, condition, nil, class)
			escalation, can := r.Schema.Escalations[condition]
			if !can {
				wantClass(t, r, condition, rules.Scope{"system_inoperative": true, "only_unit_in_area": true}, class)
				continue
			}
			for _, scope := range []rules.Scope{
				{"system_inoperative": true},
				{"only_unit_in_area": true},
				{"fraction_of_population_affected": 1},
				{"fraction_of_population_affected": json.Number("1.0")},
			} {
				wantClass(t, r, condition, scope, escalation.To)
				scope["alternative_in_place"] = true
				wantClass(t, r, condition, scope, class)
			}
		}
	}
}

func wantClass(t *testing.T, r firemode.Rule, condition string, scope rules.Scope, want firemode.Class) {
	t.Helper()
	j, err := rules.Classify(r, rules.Finding{Condition: condition, Scope: scope})
	if err != nil || j.Class != want || j.Default != r.Schema.Classifications[condition] {
		t.Errorf("%s %s with %v: %+v, %v, want %s", r.Code, condition, scope, j, err, want)
	}
}

// TestEveryLimitHasTwoSides reads each limit of the catalogue on its bound and just outside.
func TestEveryLimitHasTwoSides(t *testing.T) {
	limits := 0
	for _, r := range catalogue(t) {
		for _, l := range r.Schema.Limits {
			limits++
			on, beyond := l.Min, "0"
			if l.Max != "" {
				on, beyond = l.Max, "1000000"
			}
			j, err := rules.Classify(r, rules.Finding{Measurement: l.Measurement, Value: on, Unit: l.Unit})
			if err != nil || !j.WithinLimits || j.Class != "" {
				t.Errorf("%s %s %s: %+v, %v, want within limits", r.Code, l.Measurement, on, j, err)
			}
			j, err = rules.Classify(r, rules.Finding{Measurement: l.Measurement, Value: beyond, Unit: l.Unit})
			if err != nil || j.WithinLimits || j.Condition != l.Condition ||
				j.Class != r.Schema.Classifications[l.Condition] {
				t.Errorf("%s %s %s: %+v, %v, want %s", r.Code, l.Measurement, beyond, j, err, l.Condition)
			}
		}
	}
	if limits != 13 {
		t.Errorf("%d limits in the catalogue, want 13", limits)
	}
}

var anyAnswer = rapid.OneOf(
	rapid.Bool().AsAny(), rapid.Float64().AsAny(), rapid.Int().AsAny(), rapid.String().AsAny(), rapid.Just[any](nil),
	rapid.Map(rapid.String(), func(s string) any { return json.Number(s) }), rapid.Just[any]([]any{1}),
	rapid.Just[any](1), rapid.Just[any](0.5),
)

func TestClassify_AnyFinding_NoPanic(t *testing.T) {
	rs := catalogue(t)
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(rs).Draw(t, "rule")
		known := append([]string{"", "pressure_low", "flow_lps"}, keys(r.Schema.Classifications)...)
		name := rapid.OneOf(rapid.SampledFrom(known), rapid.String())
		f := rules.Finding{
			Condition: name.Draw(t, "condition"), Measurement: name.Draw(t, "measurement"),
			Value: rapid.OneOf(anyDecimal, rapid.String()).Draw(t, "value"),
			Unit:  rapid.SampledFrom([]string{"", "N", "L/s"}).Draw(t, "unit"),
			Scope: rapid.MapOfN(
				rapid.OneOf(rapid.SampledFrom(inputs()), rapid.String()), anyAnswer, 0, 4,
			).Draw(t, "scope"),
		}
		if rapid.Bool().Draw(t, "overridden") {
			f.Override = &rules.Override{
				Class: rapid.OneOf(
					rapid.SampledFrom(firemode.Classes[:]), rapid.Just(firemode.Class("x")),
				).Draw(t, "class"),
				Reason: rapid.String().Draw(t, "reason"),
			}
		}
		j, err := rules.Classify(r, f)
		switch {
		case err != nil && firemode.CodeOf(err) != firemode.CodeInvalid:
			t.Fatalf("got %v, want CodeInvalid", err)
		case err == nil && j.WithinLimits == j.Class.Valid():
			t.Fatalf("%+v: a class, or within limits, never both and never neither", j)
		}
	})
}

// TestEscalationIsMonotone: as long as nothing prevents it, a graver answer never gives a milder
// class, and without an override no class is milder than the default.
func TestEscalationIsMonotone(t *testing.T) {
	rs := catalogue(t)
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(rs).Draw(t, "rule")
		condition := rapid.SampledFrom(keys(r.Schema.Classifications)).Draw(t, "condition")
		inoperative, only, percent := rapid.Bool().Draw(t, "inoperative"), rapid.Bool().Draw(t, "only"),
			rapid.IntRange(0, 100).Draw(t, "percent")
		mild := rules.Scope{
			"system_inoperative": inoperative, "only_unit_in_area": only,
			"fraction_of_population_affected": float64(percent) / 100,
		}
		grave := rules.Scope{
			"system_inoperative":              inoperative || rapid.Bool().Draw(t, "inoperative too"),
			"only_unit_in_area":               only || rapid.Bool().Draw(t, "only too"),
			"fraction_of_population_affected": float64(rapid.IntRange(percent, 100).Draw(t, "graver percent")) / 100,
		}
		a, errA := rules.Classify(r, rules.Finding{Condition: condition, Scope: mild})
		b, errB := rules.Classify(r, rules.Finding{Condition: condition, Scope: grave})
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if gravity(b.Class) > gravity(a.Class) || gravity(a.Class) > gravity(a.Default) {
			t.Fatalf("%+v, and with graver answers %+v", a, b)
		}
	})
}

// gravity is 0 for the gravest class.
func gravity(c firemode.Class) int { return slices.Index(firemode.Classes[:], c) }

func inputs() []string {
	var names []string
	for _, in := range rules.ScopeInputs() {
		names = append(names, in.Name)
	}
	return names
}

func keys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
