package loadtest

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func page(t *testing.T, r Report) string {
	t.Helper()
	r.decide()
	var text strings.Builder
	if err := r.WriteHTML(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestWriteHTML_Report_SelfContainedPage(t *testing.T) {
	r := good()
	r.Target = "http://localhost:8080/<script>"
	for at := range 120 {
		r.Seconds = append(r.Seconds, Second{
			At:        float64(at + 1),
			Users:     500,
			Requests:  490,
			Endpoints: map[string]Latency{"classify": {P50: 0.001, P95: 0.01, P99: 0.02}},
		})
	}
	r.Readback.LostCount, r.Readback.Lost = 1, []Lost{{"run-7-3", "tech1@demo", "2026-11-20T03:12:44Z", fateMissing}}
	text := page(t, r)
	for _, want := range []string{
		"<title>FireMode load test: failed</title>", "P95 Latency: 0.021s", "PASSED: P95 latency meets requirement",
		"run-7-3",
		"&lt;script&gt;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if outside := regexp.MustCompile(`(?i)(src|href|@import|url\(|<script|<link)`).FindString(text); outside != "" {
		t.Errorf("the page refers to something outside itself: %s", outside)
	}
	charts := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
	if len(charts) != 3 {
		t.Fatalf("%d charts, want 3", len(charts))
	}
	for _, c := range charts {
		if lines := strings.Count(c, "<polyline"); lines != 3 {
			t.Errorf("%d lines in a chart, want 3", lines)
		}
		wellFormed(t, c)
	}
	if points := strings.Count(charts[0], ","); points != 3*120+1 { // and one in the words of the limit
		t.Errorf("%d points of latency, want 360", points-1)
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
}

// A run that was stopped before anything happened has a page, too.
func TestWriteHTML_EmptyReport_NoError(t *testing.T) {
	r := Report{Model: "saturate", Endpoints: make([]EndpointReport, endpoints)}
	if text := page(t, r); !strings.Contains(text, "INCOMPLETE") || strings.Contains(text, "NaN") {
		t.Error(text)
	}
}

func TestAxis_Place_Positions(t *testing.T) {
	log := axis{from: 0.001, to: 1, log: true}
	even := axis{from: 0, to: 200}
	for _, c := range []struct {
		axis     axis
		at, want float64
	}{
		{log, 0.001, 0}, {log, 1, 1}, {log, 0.0001, 0}, {log, 100, 1}, {even, 50, 0.25}, {even, -5, 0}, {even, 300, 1},
	} {
		if got := c.axis.place(c.at); got != c.want {
			t.Errorf("%v lies at %v, want %v", c.at, got, c.want)
		}
	}
}

func TestWholeSeconds_PartialLastSecond_Omitted(t *testing.T) {
	r := Report{Seconds: []Second{{At: 1}, {At: 2}, {At: 2.01}}}
	if got := r.wholeSeconds(); len(got) != 2 {
		t.Errorf("%d seconds are whole, want 2", len(got))
	}
	r.Seconds[2].At = 3
	if got := r.wholeSeconds(); len(got) != 3 {
		t.Errorf("%d seconds are whole, want 3", len(got))
	}
}

func TestWriteJSON_Report_ReadsBack(t *testing.T) {
	r := good()
	r.decide()
	var text strings.Builder
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal([]byte(text.String()), &back); err != nil {
		t.Fatal(err)
	}
	if back.Endpoints[Classify].Latency != r.Endpoints[Classify].Latency || !back.Passed ||
		len(back.Requirements) != 4 {
		t.Errorf("read back as %+v", back)
	}
}
