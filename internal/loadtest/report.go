package loadtest

import (
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// Report is the outcome of a run.
type Report struct {
	Target       string             `json:"target"`
	Run          string             `json:"run"`
	Model        string             `json:"model"` // "closed", "open" or "saturate"
	Users        int                `json:"users"`
	SpawnRate    float64            `json:"spawn_rate_per_s,omitempty"`
	Rate         float64            `json:"rate_per_s,omitempty"`
	Devices      int                `json:"devices"`
	Accounts     []string           `json:"accounts"` // usernames
	Session      firemode.SessionID `json:"session_id"`
	Item         firemode.RuleCode  `json:"item_code"`
	Condition    string             `json:"condition"`
	Started      time.Time          `json:"started"`
	Wanted       float64            `json:"wanted_s"` // duration of the load, 0 for saturate
	Took         float64            `json:"took_s"`
	P95Limit     float64            `json:"p95_limit_s"`
	Complete     bool               `json:"complete"` // false if it was stopped early
	Endpoints    []EndpointReport   `json:"endpoints"`
	Requests     int                `json:"requests"`
	Failed       int                `json:"failed"`
	Failures     []FailureCount     `json:"failures"`
	LargestBytes int64              `json:"largest_bundle_bytes"` // on the wire
	Readback     Readback           `json:"readback"`
	Steps        []Step             `json:"steps,omitempty"`
	Ceiling      float64            `json:"ceiling_per_s,omitempty"`
	Requirements []Requirement      `json:"requirements"`
	Passed       bool               `json:"passed"` // complete, and every requirement met
	Server       Server             `json:"server"`
	Machine      Machine            `json:"machine"`
	Seconds      []Second           `json:"seconds"`
}

// EndpointReport is the statistics of one endpoint over the whole run.
type EndpointReport struct {
	Name         string  `json:"name"`
	Requests     int     `json:"requests"`
	Failed       int     `json:"failed"`
	Rate         float64 `json:"rate_per_s"`
	Latency      Latency `json:"latency"`
	Distribution []Point `json:"distribution"`
}

// WriteJSON writes the whole report.
func (r Report) WriteJSON(w io.Writer) error {
	return json.MarshalWrite(w, r, jsontext.WithIndent("  "))
}

// report returns the measurements of the run, without a verdict.
func (e *engine) report(started time.Time) Report {
	r := Report{
		Target: e.Target, Run: e.Run, Model: e.model(), Users: e.Users, SpawnRate: e.SpawnRate, Rate: e.Rate,
		Devices: e.deviceCount(), Session: e.Session, Item: e.Item, Condition: e.Condition, Started: started.UTC(),
		P95Limit: e.P95.Seconds(), Took: e.Now().Sub(started).Seconds(), Failures: e.recorder.reasons(),
	}
	if !e.Saturate {
		r.Wanted = e.Duration.Seconds()
	}
	for _, a := range e.accounts {
		r.Accounts = append(r.Accounts, a.Username)
	}
	e.recorder.fill(&r)
	return r
}

// fill adds the recorded statistics.
func (rec *recorder) fill(r *Report) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	r.LargestBytes, r.Seconds = rec.bundle, rec.series
	for e := range endpoints {
		t := rec.total[e]
		n := int(t.latency.TotalCount())
		r.Endpoints = append(r.Endpoints, EndpointReport{
			Name: Endpoint(e).String(), Requests: n, Failed: t.failed, Rate: float64(n) / r.Took,
			Latency: latencyOf(t.latency), Distribution: distributionOf(t.latency),
		})
		r.Requests += n
		r.Failed += t.failed
	}
}
