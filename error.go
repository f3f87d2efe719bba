package firemode

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code is the kind of failure of an Error. The list is closed. internal/httpkit maps each code to a
// status, a FIRE code and whether a retry can help.
type Code uint8

// The codes, in the order of the contract's error table.
const (
	CodeInternal            Code = iota // a fault of the server; the zero value, so that an unknown error is one
	CodeMalformed                       // 400: the request cannot be read
	CodeUnauthenticated                 // 401: no token, or it is bad, expired or revoked
	CodeForbidden                       // 403: the role of the caller does not allow it
	CodeNotFound                        // 404: it does not exist, or not in the caller's organisation
	CodeMethodNotAllowed                // 405
	CodeNotAcceptable                   // 406
	CodeBodyTimeout                     // 408: the body stopped arriving
	CodeConflict                        // 409: duplicate, key reused, forked client, invalid status change
	CodeInFlight                        // 409, retryable: the same Idempotency-Key is still running
	CodeGone                            // 410: a cursor from before a restore
	CodeChanged                         // 412: If-Match is not the current version
	CodeTooLarge                        // 413
	CodeUnsupportedMedia                // 415
	CodeRange                           // 416
	CodeInvalid                         // 422: readable but not valid
	CodePreconditionMissing             // 428
	CodeRateLimited                     // 429
	CodeUnavailable                     // 503: a dependency is down, or load is shed
)

// Detail names one field of a request and what is wrong with it.
type Detail struct {
	Field  string // a path such as "changes[3].path"
	Reason string
}

// Error is the one error type that crosses packages. Message is for the user and never holds
// internals; Err is for the log.
type Error struct {
	Code       Code
	Message    string
	Details    []Detail
	RetryAfter time.Duration // set on CodeInFlight, CodeRateLimited and CodeUnavailable
	// FreshClientID is the id under which a forked client must continue. It is set only on the
	// CodeConflict of a fork.
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

// Malformed returns the error of a request that cannot be read.
func Malformed(format string, args ...any) *Error { return newError(CodeMalformed, format, args) }

// Unauthenticated returns the error of a caller who is not authenticated.
func Unauthenticated(format string, args ...any) *Error {
	return newError(CodeUnauthenticated, format, args)
}

// Forbidden returns the error of a caller whose role does not allow the request.
func Forbidden(format string, args ...any) *Error { return newError(CodeForbidden, format, args) }

// NotFound returns the error of something that does not exist, or that the caller may not see.
func NotFound(format string, args ...any) *Error { return newError(CodeNotFound, format, args) }

// Conflict returns the error of a request that contradicts the stored state.
func Conflict(format string, args ...any) *Error { return newError(CodeConflict, format, args) }

// Changed returns the error of a request for a version that is no longer the current one.
func Changed(format string, args ...any) *Error { return newError(CodeChanged, format, args) }

// TooLarge returns the error of a request that exceeds a size limit, which the message names.
func TooLarge(format string, args ...any) *Error { return newError(CodeTooLarge, format, args) }

// Gone returns the error of a reference to a state that a restore has replaced.
func Gone(format string, args ...any) *Error { return newError(CodeGone, format, args) }

// PreconditionMissing returns the error of a request that lacks a precondition, which the message
// names.
func PreconditionMissing(format string, args ...any) *Error {
	return newError(CodePreconditionMissing, format, args)
}

// RateLimited returns the error of a caller with too many attempts, who may retry after d.
func RateLimited(d time.Duration, format string, args ...any) *Error {
	e := newError(CodeRateLimited, format, args)
	e.RetryAfter = d
	return e
}

// Unavailable returns the error of a dependency that is down, or of a server that sheds load. The
// caller may retry after d.
func Unavailable(d time.Duration, format string, args ...any) *Error {
	e := newError(CodeUnavailable, format, args)
	e.RetryAfter = d
	return e
}

// Invalid returns the error of a request that is readable but not valid. Each detail names a field.
func Invalid(message string, details ...Detail) *Error {
	return &Error{Code: CodeInvalid, Message: message, Details: details}
}

// InvalidField is Invalid for a single field.
func InvalidField(field, format string, args ...any) *Error {
	reason := fmt.Sprintf(format, args...)
	return Invalid(field+": "+reason, Detail{Field: field, Reason: reason})
}

// NotFoundAs turns CodeNotFound into CodeInvalid for the field whose value names what is not there.
// Other errors stay.
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
