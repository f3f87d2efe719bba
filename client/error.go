package client

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Error is an error response of the API.
type Error struct {
	Status        int      `json:"-"`              // of HTTP
	TransactionID string   `json:"transaction_id"` // finds the request in the log of the server
	Code          string   `json:"error_code"`     // "FIRE-404"; "HTTP-502" if a proxy responded
	Message       string   `json:"message"`        // for the user
	Retryable     bool     `json:"retryable"`      // the same request may succeed later
	Details       []Detail `json:"details"`        // the invalid fields, if the request had any
	// FreshClientID is set when the server detects that this client is a copy of another: the id
	// under which it must continue. See State.Fork.
	FreshClientID string        `json:"fresh_client_id"`
	RetryAfter    time.Duration `json:"-"` // how long to wait before a retry; 0 if the server did not say
}

// Detail names one field of a request and what is wrong with it.
type Detail struct {
	Field  string `json:"field"` // e.g. "changes[3].path"
	Reason string `json:"reason"`
}

// Error returns the message, the code and the transaction id.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (%s, request %s)", e.Message, e.Code, e.TransactionID)
}

// StatusOf returns the HTTP status of the first Error in the chain of err, 0 if there is none.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// errorOf reads an error response. A response in another format comes from a proxy.
func errorOf(response *http.Response, body []byte) *Error {
	e := &Error{}
	if err := json.Unmarshal(body, e); err != nil || e.Code == "" {
		excerpt := string(body[:min(len(body), 200)])
		e = &Error{Code: "HTTP-" + strconv.Itoa(response.StatusCode), Message: strings.TrimSpace(excerpt)}
		switch response.StatusCode {
		case http.StatusTooManyRequests,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			e.Retryable = true
		}
	}
	e.Status = response.StatusCode
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
