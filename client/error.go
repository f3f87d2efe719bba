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

// Error is an answer that is an error, in the API's format.
type Error struct {
	Status        int      `json:"-"`              // of HTTP
	TransactionID string   `json:"transaction_id"` // what to tell the operator of the server
	Code          string   `json:"error_code"`     // "FIRE-404"
	Message       string   `json:"message"`
	Retryable     bool     `json:"retryable"` // the same request may succeed later
	Details       []Detail `json:"details"`
	// FreshClientID is the id to go on under: this client is a copy of one that the server knows. See State.Fork.
	FreshClientID string        `json:"fresh_client_id"`
	RetryAfter    time.Duration `json:"-"` // 0 when the server did not say
}

// Detail is one part of a request and what is wrong with it.
type Detail struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s (%s, request %s)", e.Message, e.Code, e.TransactionID)
}

// StatusOf returns the HTTP status of the Error in err's chain, 0 when there is none.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// errorOf reads an answer that is not a success. One that is not in the API's format comes from something in between.
func errorOf(answer *http.Response, body []byte) *Error {
	e := &Error{}
	if err := json.Unmarshal(body, e); err != nil || e.Code == "" {
		e = &Error{Code: "HTTP-" + strconv.Itoa(answer.StatusCode), Message: strings.TrimSpace(string(body[:min(len(body), 200)]))}
		switch answer.StatusCode {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
			e.Retryable = true
		}
	}
	e.Status = answer.StatusCode
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
