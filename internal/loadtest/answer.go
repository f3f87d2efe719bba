package loadtest

import (
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"firemode"
)

// judgement is the part of a classification that is looked at.
type judgement struct {
	Class firemode.Class   `json:"classification"`
	Audit firemode.AuditID `json:"audit_log_id"`
}

// receipt is the part of a submission's answer that is looked at.
type receipt struct {
	Status  string `json:"status"`
	Results []struct {
		Status string `json:"status"`
		Reason string `json:"reason"`
	} `json:"results"`
}

// problem is the API's form of an error.
type problem struct {
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

// refusal says what an answer that is not a success says, nil for a success.
func (a answer) refusal() error {
	if a.status == http.StatusOK {
		return nil
	}
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Code == "" {
		return fmt.Errorf("status %d", a.status)
	}
	return fmt.Errorf("status %d %s: %s", a.status, p.Code, p.Message)
}

// classified checks that an answer says what the first one said.
func (a answer) classified(want firemode.Class) error {
	if err := a.refusal(); err != nil {
		return err
	}
	var j judgement
	if err := json.Unmarshal(a.body, &j); err != nil {
		return fmt.Errorf("not a classification: %w", err)
	}
	switch {
	case j.Class != want:
		return fmt.Errorf("classified as %q, before as %q", j.Class, want)
	case j.Audit == "":
		return fmt.Errorf("no audit_log_id")
	}
	return nil
}

// acknowledged checks that an answer says that the one change which was sent is kept and part of the document.
func (a answer) acknowledged() error {
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

// bundled checks a bundle, which is not kept.
func (a answer) bundled() error {
	if err := a.refusal(); err != nil {
		return err
	}
	if a.size == 0 {
		return fmt.Errorf("the bundle is empty")
	}
	return nil
}
