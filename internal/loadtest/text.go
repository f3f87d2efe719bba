package loadtest

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Line returns the statistics as one line of progress.
func (s Second) Line() string {
	p95 := "-"
	if l, ok := s.Endpoints[Classify.String()]; ok {
		p95 = fmt.Sprintf("%.3fs", l.P95)
	}
	return fmt.Sprintf("%4.0fs  %5d users  %6d req/s  p95 %s  %d errors", s.At, s.Users, s.Requests, p95, s.FailedSoFar)
}

// WriteText writes the report for a terminal; its last lines are the verdict.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.headline())
	r.writeEndpoints(&b)
	r.writeSteps(&b)
	r.writeFailures(&b)
	r.writeFacts(&b)
	r.writeVerdict(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// headline describes the load.
func (r Report) headline() string {
	what := map[string]string{
		"closed": fmt.Sprintf("%d users, %g more each second, waiting %g to %g s between requests",
			r.Users, r.SpawnRate, thinkLeast.Seconds(), thinkMost.Seconds()),
		"open":     fmt.Sprintf("%g requests per second over %d connections", r.Rate, r.Users),
		"saturate": fmt.Sprintf("rates from %g requests per second up over %d connections", r.Rate, r.Users),
	}[r.Model]
	return fmt.Sprintf("%s: %s, for %s", r.Target, what, duration(r.Took))
}

func (r Report) writeEndpoints(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\trequests\treq/s\tp50\tp90\tp95\tp99\tp99.9\tmax\tfailed\t")
	for _, e := range r.Endpoints {
		l := e.Latency
		fmt.Fprintf(t, "%s\t%d\t%.1f\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t\n",
			e.Name, e.Requests, e.Rate, ms(l.P50), ms(l.P90), ms(l.P95), ms(l.P99), ms(l.P999), ms(l.Max), e.Failed)
	}
	t.Flush() //nolint:errcheck // it writes to memory
}

func (r Report) writeSteps(w io.Writer) {
	if len(r.Steps) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\n\toffered/s\tachieved/s\tp95\t")
	for _, s := range r.Steps {
		fmt.Fprintf(t, "\t%.0f\t%.1f\t%s\t  %s\n", s.Rate, s.Achieved, ms(s.P95), cmp.Or(s.Broke, "held"))
	}
	t.Flush() //nolint:errcheck // it writes to memory
}

func (r Report) writeFailures(w io.Writer) {
	for i, f := range r.Failures {
		if i == 0 {
			fmt.Fprintln(w, "\nfailures:")
		}
		fmt.Fprintf(w, "  %6d  %s: %s\n", f.Count, f.Endpoint, f.Reason)
	}
	for i, l := range r.Readback.Lost {
		if i == 0 {
			fmt.Fprintf(w, "\n%d acknowledged changes are lost:\n", r.Readback.LostCount)
		}
		fmt.Fprintf(w, "  %s of %s, acknowledged at %s: %s\n", l.Value, l.Username, l.AcknowledgedAt, l.Fate)
	}
}

func (r Report) writeFacts(w io.Writer) {
	m, s := r.Machine, r.Server
	fmt.Fprintf(w, "\nmachine    %s, %d CPUs, load %s before, %s after\n", m.CPU, m.CPUs, m.LoadBefore, m.LoadAfter)
	if m.Busy > 0 {
		fmt.Fprintf(
			w, "           %.2f CPUs were busy, %.2f of them with the generator\n", m.Busy/r.Took, m.Used/r.Took,
		)
	}
	if s.Go == "" {
		fmt.Fprintln(w, "server     serves no metrics at this address")
		return
	}
	fmt.Fprintf(w, "server     %s, %s, GOMAXPROCS %d, used %.2f CPUs and at most %s of memory\n",
		s.Version, s.Go, s.MaxProcs, s.CPU/r.Took, size(s.PeakMemory))
}

func (r Report) writeVerdict(w io.Writer) {
	fmt.Fprintf(w, "\nP95 Latency: %.3fs\n", r.ClassifyP95())
	for _, q := range r.Requirements {
		fmt.Fprintln(w, q.Line)
	}
	if !r.Complete {
		fmt.Fprintf(w, "INCOMPLETE: stopped after %s; this is the verdict so far\n", duration(r.Took))
	}
}

// ms formats seconds as milliseconds.
func ms(s float64) string { return fmt.Sprintf("%.1fms", s*1000) }

func duration(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(100 * time.Millisecond)
}
