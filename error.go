package firemode

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code says what kind of failure an Error is. The list is closed; internal/httpapi maps each to a status, a FIRE code and
// whether a retry can help.
type Code uint8

// The codes, in the order of the contract's error table.
const (
	CodeInternal            Code = iota // our fault; the zero value, so that an unknown error is one
	CodeMalformed                       // 400: the request cannot be read
	CodeUnauthenticated                 // 401: no token, or it is bad, expired or revoked
	CodeForbidden                       // 403: this role may not
	CodeNotFound                        // 404: no such thing, or not in your organisation
	CodeMethodNotAllowed                // 405
	CodeNotAcceptable                   // 406
	CodeBodyTimeout                     // 408: the body stopped coming
	CodeConflict                        // 409: duplicate, key reused, forked client, impossible status change
	CodeInFlight                        // 409, retryable: the same Idempotency-Key is still running
	CodeGone                            // 410: a cursor from before a restore
	CodeChanged                         // 412: If-Match is not the current version
	CodeTooLarge                        // 413
	CodeUnsupportedMedia                // 415
	CodeRange                           // 416
	CodeInvalid                         // 422: readable but not meaningful
	CodePreconditionMissing             // 428
	CodeRateLimited                     // 429
	CodeUnavailable                     // 503: a dependency is down, or load is shed
)

// Detail names one part of a request and what is wrong with it.
type Detail struct {
	Field  string // a path such as "changes[3].path"
	Reason string
}

// Error is the one error type that crosses packages. Message is for the user and never holds internals; Err is for us.
type Error struct {
	Code       Code
	Message    string
	Details    []Detail
	RetryAfter time.Duration // set on CodeInFlight, CodeRateLimited and CodeUnavailable
	// FreshClientID is the id a forked client must go on under; set only on the CodeConflict of a fork.
	FreshClientID string
	Err           error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first Error in err's chain, CodeInternal when there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

func newError(c Code, format string, args []any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...)}
}

// Malformed says that the request cannot be read.
func Malformed(format string, args ...any) *Error { return newError(CodeMalformed, format, args) }

// Unauthenticated says that the caller has not shown who it is.
func Unauthenticated(format string, args ...any) *Error {
	return newError(CodeUnauthenticated, format, args)
}

// Forbidden says that this caller may not.
func Forbidden(format string, args ...any) *Error { return newError(CodeForbidden, format, args) }

// NotFound says that there is no such thing for this caller.
func NotFound(format string, args ...any) *Error { return newError(CodeNotFound, format, args) }

// Conflict says that the request contradicts what is there.
func Conflict(format string, args ...any) *Error { return newError(CodeConflict, format, args) }

// Changed says that the thing is no longer at the version the caller named.
func Changed(format string, args ...any) *Error { return newError(CodeChanged, format, args) }

// TooLarge says which limit was passed.
func TooLarge(format string, args ...any) *Error { return newError(CodeTooLarge, format, args) }

// Gone says that what the caller refers to belongs to a past that a restore has replaced.
func Gone(format string, args ...any) *Error { return newError(CodeGone, format, args) }

// PreconditionMissing says what must be given or done first.
func PreconditionMissing(format string, args ...any) *Error {
	return newError(CodePreconditionMissing, format, args)
}

// RateLimited says that the caller has tried too often and may try again after d.
func RateLimited(d time.Duration, format string, args ...any) *Error {
	e := newError(CodeRateLimited, format, args)
	e.RetryAfter = d
	return e
}

// Unavailable says that a dependency is down or that load is shed; the caller may try again after d.
func Unavailable(d time.Duration, format string, args ...any) *Error {
	e := newError(CodeUnavailable, format, args)
	e.RetryAfter = d
	return e
}

// Invalid says that a request is readable but not meaningful; each detail names a field.
func Invalid(message string, details ...Detail) *Error {
	return &Error{Code: CodeInvalid, Message: message, Details: details}
}

// InvalidField is Invalid for a single field.
func InvalidField(field, format string, args ...any) *Error {
	reason := fmt.Sprintf(format, args...)
	return Invalid(field+": "+reason, Detail{Field: field, Reason: reason})
}

// NotFoundAs turns CodeNotFound into CodeInvalid for the field whose value names what is not there. Other errors stay.
func NotFoundAs(field string, err error) error {
	if CodeOf(err) == CodeNotFound {
		return InvalidField(field, "no such thing in your organisation")
	}
	return err
}

// Clip shortens a text of a user for an error message: to MaxIDLength bytes, with "…" for the rest.
func Clip(text string) string {
	if len(text) <= MaxIDLength {
		return text
	}
	return strings.ToValidUTF8(text[:MaxIDLength], "") + "…"
}
