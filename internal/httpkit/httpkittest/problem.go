// Package httpkittest holds what tests of HTTP servers share: reading answers and problems,
// encoding bodies, and recording what a server reports.
package httpkittest

import (
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json"
)

// Problem is the body of an error, as a client reads it.
type Problem struct {
	TransactionID string   `json:"transaction_id"`
	TraceID       string   `json:"trace_id"`
	Code          string   `json:"error_code"`
	Message       string   `json:"message"`
	Retryable     bool     `json:"retryable"`
	Details       []Detail `json:"details"`
	FreshClientID string   `json:"fresh_client_id"`
}

// Detail names one wrong field, and what is wrong with it.
type Detail struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// WantProblem fails unless rec is an error in the one format, with the status.
func WantProblem(t testing.TB, rec *httptest.ResponseRecorder, status int) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("status %d with a body that is no error of ours: %v: %s", rec.Code, err, rec.Body)
	}
	if rec.Code != status {
		t.Errorf("status %d, want %d: %s", rec.Code, status, rec.Body)
	}
	if got := rec.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q, want application/json", got)
	}
	if p.Code != "FIRE-"+strconv.Itoa(rec.Code) {
		t.Errorf("error_code %q with status %d", p.Code, rec.Code)
	}
	if id := rec.Header().Get("X-Request-ID"); p.TransactionID != id || id == "" {
		t.Errorf("transaction_id %q, X-Request-ID %q", p.TransactionID, id)
	}
	if p.Message == "" || p.Details == nil {
		t.Errorf("an error without message or details: %s", rec.Body)
	}
	return p
}
