package loadtest

import (
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"firemode"
)

// classification is the part of a classify response that is checked.
type classification struct {
	Class firemode.Class   `json:"classification"`
	Audit firemode.AuditID `json:"audit_log_id"`
}

// receipt is the part of a receipt that is checked.
type receipt struct {
	Status  string `json:"status"`
	Results []struct {
		Status string `json:"status"`
		Reason string `json:"reason"`
	} `json:"results"`
}

// problem is an error response of the API.
type problem struct {
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

// refusal returns the error that a response reports, nil for a success.
func (a response) refusal() error {
	if a.status == http.StatusOK {
		return nil
	}
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Code == "" {
		return fmt.Errorf("status %d", a.status)
	}
	return fmt.Errorf("status %d %s: %s", a.status, p.Code, p.Message)
}

// classified checks that a finding is classified as want.
func (a response) classified(want firemode.Class) error {
	if err := a.refusal(); err != nil {
		return err
	}
	var j classification
	if err := json.Unmarshal(a.body, &j); err != nil {
		return fmt.Errorf("not a classification: %w", err)
	}
	switch {
	case j.Class != want:
		return fmt.Errorf("classified as %q, before the load as %q", j.Class, want)
	case j.Audit == "":
		return fmt.Errorf("no audit_log_id")
	}
	return nil
}

// acknowledged checks that the one change of a submission is merged.
func (a response) acknowledged() error {
	if err := a.refusal(); err != nil {
		return err
	}
	var r receipt
	if err := json.Unmarshal(a.body, &r); err != nil {
		return fmt.Errorf("not a receipt: %w", err)
	}
	if r.Status != "merged" || len(r.Results) != 1 {
		return fmt.Errorf("receipt is %q for %d changes, want \"merged\" for 1", r.Status, len(r.Results))
	}
	switch result := r.Results[0]; result.Status {
	case "applied", "superseded", "duplicate":
		return nil
	default:
		return fmt.Errorf("change is %q: %s", result.Status, result.Reason)
	}
}

// bundled checks the response to a bundle request, whose body is discarded.
func (a response) bundled() error {
	if err := a.refusal(); err != nil {
		return err
	}
	if a.size == 0 {
		return fmt.Errorf("the bundle is empty")
	}
	return nil
}
