package loadtest

import "fmt"

// Requirement is one requirement of the contract and whether the run met it. Line is its line in
// the report.
type Requirement struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Line   string `json:"line"`
}

func passed(name, format string, args ...any) Requirement {
	return Requirement{Name: name, Passed: true, Line: "PASSED: " + fmt.Sprintf(format, args...)}
}

func failed(name, format string, args ...any) Requirement {
	return Requirement{Name: name, Line: "FAILED: " + fmt.Sprintf(format, args...)}
}

// decide adds the verdict to the report.
func (r *Report) decide() {
	if r.Model == "saturate" {
		r.Requirements = []Requirement{r.ceiling(), r.bundles(), r.log()}
	} else {
		r.Requirements = []Requirement{r.p95(), r.answered(), r.bundles(), r.log()}
	}
	r.Passed = r.Complete
	for _, q := range r.Requirements {
		r.Passed = r.Passed && q.Passed
	}
}

// ClassifyP95 returns the p95 of classify in seconds; for Saturate, the p95 at the ceiling.
func (r Report) ClassifyP95() float64 {
	for _, s := range r.Steps {
		if s.Rate == r.Ceiling {
			return s.P95
		}
	}
	return r.Endpoints[Classify].Latency.P95
}

func (r Report) p95() Requirement {
	switch {
	case r.Endpoints[Classify].Requests == 0:
		return failed("p95", "P95 latency is not known, nothing was classified")
	case r.ClassifyP95() > r.P95Limit:
		return failed("p95", "P95 latency exceeds %gms requirement", r.P95Limit*1000)
	default:
		return passed("p95", "P95 latency meets requirement")
	}
}

func (r Report) answered() Requirement {
	if r.Failed > 0 {
		return failed("failures", "%d of %d requests failed", r.Failed, r.Requests)
	}
	return passed("failures", "No request of %d failed", r.Requests)
}

func (r Report) bundles() Requirement {
	switch fetched := r.Endpoints[Bundle]; {
	case fetched.Requests == fetched.Failed:
		return failed("bundle", "The size of the bundle is not known, none was fetched")
	case r.LargestBytes > BundleLimit:
		return failed(
			"bundle", "A bundle has %s on the wire, over the %d MB requirement", size(r.LargestBytes),
			BundleLimit/1_000_000,
		)
	default:
		return passed(
			"bundle", "No bundle over %d MB on the wire, the largest has %s", BundleLimit/1_000_000,
			size(r.LargestBytes),
		)
	}
}

func (r Report) log() Requirement {
	switch b := r.Readback; {
	case b.Error != "":
		return failed("log", "The %d acknowledged changes could not be read back: %s", b.Acknowledged, b.Error)
	case b.Acknowledged == 0:
		return failed("log", "No change was acknowledged, so none could be looked for")
	case b.LostCount > 0:
		first := b.Lost[0]
		return failed(
			"log", "%d of %d acknowledged changes are not as promised; the first: %s of %s, acknowledged at %s, is %s",
			b.LostCount, b.Acknowledged, first.Value, first.Username, first.AcknowledgedAt, first.Fate,
		)
	default:
		return passed("log", "All %d acknowledged changes are in the log, %d shown, %d superseded by their own writer",
			b.Acknowledged, b.Shown, b.Superseded)
	}
}

func (r Report) ceiling() Requirement {
	switch {
	case len(r.Steps) == 0:
		return failed("ceiling", "No rate was held to its end")
	case r.Ceiling == 0:
		return failed("ceiling", "The first rate, %.0f req/s, did not hold: %s", r.Steps[0].Rate, r.Steps[0].Broke)
	}
	return passed("ceiling", "%.0f req/s held with a p95 of at most %gms and no failure", r.Ceiling, r.P95Limit*1000)
}

// size formats a number of bytes.
func size(n int64) string {
	if n < 1_000_000 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
