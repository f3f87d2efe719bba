package loadtest

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
)

//go:embed page.html
var pageText string

// WriteHTML writes the report as one self-contained page.
func (r Report) WriteHTML(w io.Writer) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"ms": ms, "size": size, "duration": duration,
		"share": func(a, b float64) string { return fmt.Sprintf("%.2f", a/math.Max(b, 1e-9)) },
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return page.Execute(w, map[string]any{
		"R": r, "Headline": r.headline(),
		"Over": r.latencyOverTime().svg(), "Rates": r.ratesOverTime().svg(), "Distribution": r.distribution().svg(),
	})
}

// wholeSeconds omits the partial second at the end, which would look like a collapse.
func (r Report) wholeSeconds() []Second {
	n := len(r.Seconds)
	if n > 1 && r.Seconds[n-1].At-r.Seconds[n-2].At < 0.5 {
		n--
	}
	return r.Seconds[:n]
}

// latencyOverTime draws the percentiles of classify for each second.
func (r Report) latencyOverTime() chart {
	lines := []line{{name: "p50", class: "one"}, {name: "p95", class: "two"}, {name: "p99", class: "three"}}
	least, most := r.P95Limit, r.P95Limit
	for _, s := range r.wholeSeconds() {
		l, ok := s.Endpoints[Classify.String()]
		if !ok {
			continue
		}
		for i, v := range []float64{l.P50, l.P95, l.P99} {
			lines[i].points = append(lines[i].points, xy{s.At, v})
			least, most = math.Min(least, v), math.Max(most, v)
		}
	}
	return chart{
		title: "Latency of classify over time", x: span("seconds", r.Took), y: decades(least, most), lines: lines,
		limit: r.P95Limit, legend: ms(r.P95Limit) + ", the limit of the p95",
	}
}

// ratesOverTime draws requests per second and the number of users.
func (r Report) ratesOverTime() chart {
	answered := line{name: "req/s", class: "one"}
	users := line{name: "users", class: "two"}
	failed := line{name: "failed/s", class: "bad"}
	most := 1.0
	for _, s := range r.wholeSeconds() {
		answered.points = append(answered.points, xy{s.At, float64(s.Requests)})
		users.points = append(users.points, xy{s.At, float64(s.Users)})
		failed.points = append(failed.points, xy{s.At, float64(s.Failed)})
		most = math.Max(most, math.Max(float64(s.Requests), float64(s.Users)))
	}
	return chart{
		title: "Requests and users over time", x: span("seconds", r.Took), y: even("", most),
		lines: []line{answered, users, failed},
	}
}

// nines returns the position of a share of the requests on an axis that gives each further nine the
// same space.
func nines(share float64) float64 { return 1 / math.Max(1-share, 1e-6) }

// distribution draws the latency below which each share of the requests is.
func (r Report) distribution() chart {
	x := axis{name: "share of the requests", from: 1, to: 10, log: true}
	least, most := r.P95Limit, r.P95Limit
	var lines []line
	for i, e := range r.Endpoints {
		l := line{name: e.Name, class: []string{"one", "two", "three"}[i]}
		for _, p := range e.Distribution {
			if p.Share < 1 {
				l.points = append(l.points, xy{nines(p.Share), p.Latency})
				x.to = math.Max(x.to, nines(p.Share))
			}
			least, most = math.Min(least, p.Latency), math.Max(most, p.Latency)
		}
		lines = append(lines, l)
	}
	for _, t := range []tick{
		{0, "0"},
		{0.5, "50 %"},
		{0.9, "90 %"},
		{0.95, "95 %"},
		{0.99, "99 %"},
		{0.999, "99.9 %"},
		{0.9999, "99.99 %"},
		{0.99999, "99.999 %"},
	} {
		if place := nines(t.at); place <= x.to {
			x.ticks = append(x.ticks, tick{place, t.text})
		}
	}
	return chart{
		title: "Distribution of latency", x: x, y: decades(least, most), lines: lines,
		limit: r.P95Limit, legend: ms(r.P95Limit),
	}
}
