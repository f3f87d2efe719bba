package loadtest

import (
	"slices"
	"strings"
	"testing"
)

// good is a report of a run that met everything.
func good() Report {
	r := Report{
		Target:       "http://localhost:8080",
		Model:        "closed",
		Users:        500,
		SpawnRate:    50,
		Took:         120,
		P95Limit:     0.3,
		Complete:     true,
		Requests:     1700,
		LargestBytes: 32_310,
		Endpoints: []EndpointReport{
			{
				Name:     "classify",
				Requests: 1000,
				Rate:     8.3,
				Latency:  Latency{P50: 0.002, P90: 0.009, P95: 0.0214, P99: 0.05, P999: 0.08, Max: 0.09},
			},
			{Name: "results", Requests: 500},
			{Name: "bundle", Requests: 200},
		},
		Readback: Readback{Acknowledged: 500, Found: 500, Shown: 3, Superseded: 497},
	}
	for e := range r.Endpoints {
		r.Endpoints[e].Distribution = []Point{{0, 0.001}, {0.5, 0.002}, {0.9, 0.009}, {0.99, 0.05}, {1, 0.09}}
	}
	return r
}

func TestDecide_Reports_Verdict(t *testing.T) {
	met := []string{
		"PASSED: P95 latency meets requirement",
		"PASSED: No request of 1700 failed",
		"PASSED: No bundle over 50 MB on the wire, the largest has 32.3 kB",
		"PASSED: All 500 acknowledged changes are in the log, 3 shown, 497 superseded by their own writer",
	}
	lost := Lost{"run-7-3", "tech1@demo", "2026-11-20T03:12:44Z", fateMissing}
	for _, c := range []struct {
		name   string
		spoil  func(*Report)
		which  int // of met, which this replaces
		line   string
		passed bool
	}{
		{"all met", func(*Report) {}, 0, met[0], true},
		{"at the limit", func(r *Report) { r.Endpoints[Classify].Latency.P95 = 0.3 }, 0, met[0], true},
		{
			"slow", func(r *Report) { r.Endpoints[Classify].Latency.P95 = 0.301 }, 0,
			"FAILED: P95 latency exceeds 300ms requirement", false,
		},
		{
			"nothing classified", func(r *Report) { r.Endpoints[Classify].Requests = 0 }, 0,
			"FAILED: P95 latency is not known, nothing was classified", false,
		},
		{"one failed", func(r *Report) { r.Failed = 1 }, 1, "FAILED: 1 of 1700 requests failed", false},
		{
			"large bundle", func(r *Report) { r.LargestBytes = 50_000_001 }, 2,
			"FAILED: A bundle has 50.0 MB on the wire, over the 50 MB requirement", false,
		},
		{
			"no bundle", func(r *Report) { r.Endpoints[Bundle].Failed = 200 }, 2,
			"FAILED: The size of the bundle is not known, none was fetched", false,
		},
		{
			"one lost", func(r *Report) { r.Readback.LostCount, r.Readback.Lost = 1, []Lost{lost} }, 3,
			"FAILED: 1 of 500 acknowledged changes are not as promised; the first: " +
				"run-7-3 of tech1@demo, acknowledged at 2026-11-20T03:12:44Z, is not in the log", false,
		},
		{
			"not read back", func(r *Report) { r.Readback.Error = "no route" }, 3,
			"FAILED: The 500 acknowledged changes could not be read back: no route", false,
		},
		{
			"none acknowledged", func(r *Report) { r.Readback = Readback{} }, 3,
			"FAILED: No change was acknowledged, so none could be looked for", false,
		},
		{"stopped", func(r *Report) { r.Complete = false }, 0, met[0], false},
	} {
		r := good()
		c.spoil(&r)
		r.decide()
		want := slices.Clone(met)
		want[c.which] = c.line
		var got []string
		for _, q := range r.Requirements {
			got = append(got, q.Line)
		}
		if !slices.Equal(got, want) || r.Passed != c.passed {
			t.Errorf("%s: passed %v, want %v; lines\n%s", c.name, r.Passed, c.passed, strings.Join(got, "\n"))
		}
	}
}

func TestWriteText_Incomplete_EndsWithTheVerdict(t *testing.T) {
	r := good()
	r.Complete, r.Took = false, 12.34
	r.decide()
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	const want = `
P95 Latency: 0.021s
PASSED: P95 latency meets requirement
PASSED: No request of 1700 failed
PASSED: No bundle over 50 MB on the wire, the largest has 32.3 kB
PASSED: All 500 acknowledged changes are in the log, 3 shown, 497 superseded by their own writer
INCOMPLETE: stopped after 12.3s; this is the verdict so far
`
	if !strings.HasSuffix(text.String(), want) {
		t.Errorf("the text ends otherwise:\n%s", text.String())
	}
}
