package httpkit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"firemode"
	"firemode/internal/store"
)

// outcome is how an error code goes over the wire. The FIRE code is "FIRE-" and the status.
type outcome struct {
	status    int
	retryable bool
}

// outcomes is the error table: every code of the vocabulary is in it.
func outcomes() map[firemode.Code]outcome {
	return map[firemode.Code]outcome{
		firemode.CodeInternal:            {http.StatusInternalServerError, true},
		firemode.CodeMalformed:           {http.StatusBadRequest, false},
		firemode.CodeUnauthenticated:     {http.StatusUnauthorized, false},
		firemode.CodeForbidden:           {http.StatusForbidden, false},
		firemode.CodeNotFound:            {http.StatusNotFound, false},
		firemode.CodeMethodNotAllowed:    {http.StatusMethodNotAllowed, false},
		firemode.CodeNotAcceptable:       {http.StatusNotAcceptable, false},
		firemode.CodeBodyTimeout:         {http.StatusRequestTimeout, true},
		firemode.CodeConflict:            {http.StatusConflict, false},
		firemode.CodeInFlight:            {http.StatusConflict, true},
		firemode.CodeGone:                {http.StatusGone, false},
		firemode.CodeChanged:             {http.StatusPreconditionFailed, false},
		firemode.CodeTooLarge:            {http.StatusRequestEntityTooLarge, false},
		firemode.CodeUnsupportedMedia:    {http.StatusUnsupportedMediaType, false},
		firemode.CodeRange:               {http.StatusRequestedRangeNotSatisfiable, false},
		firemode.CodeInvalid:             {http.StatusUnprocessableEntity, false},
		firemode.CodePreconditionMissing: {http.StatusPreconditionRequired, false},
		firemode.CodeRateLimited:         {http.StatusTooManyRequests, true},
		firemode.CodeUnavailable:         {http.StatusServiceUnavailable, true},
	}
}

// statusGone is logged for a request whose client disconnected before the response; nobody receives
// it.
const statusGone = 499

// Problem is the body of every error.
type Problem struct {
	TransactionID string          `json:"transaction_id" doc:"The X-Request-ID of the request"`
	TraceID       string          `json:"trace_id,omitempty" doc:"The trace of the request, unless tracing is off"`
	Code          string          `json:"error_code" example:"FIRE-404"`
	Message       string          `json:"message"`
	Retryable     bool            `json:"retryable" doc:"Whether the same request may succeed later"`
	Details       []ProblemDetail `json:"details" doc:"The fields that are wrong, when there are any"`
	FreshClientID string          `json:"fresh_client_id,omitempty" doc:"The id a forked client goes on under"`

	status     int
	retryAfter time.Duration
}

// ProblemDetail names one wrong field and what is wrong with it.
type ProblemDetail struct {
	Field  string `json:"field" example:"changes[3].path"`
	Reason string `json:"reason"`
}

// Error returns the message. With GetStatus and GetHeaders it makes a Problem an error that huma
// writes unchanged.
func (p *Problem) Error() string { return p.Message }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.status }

// GetHeaders returns the headers that belong to the status.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 || p.status == http.StatusServiceUnavailable || p.status == http.StatusTooManyRequests {
		seconds := max(1, int64((p.retryAfter+time.Second-1)/time.Second))
		h.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if p.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="firemode"`)
	}
	return h
}

// problemOf returns err as a Problem, and keeps in the request state what the Problem leaves out.
func problemOf(ctx context.Context, err error) *Problem {
	if p := (*Problem)(nil); errors.As(err, &p) {
		return p
	}
	x := StateOf(ctx)
	x.failure = err
	e := userError(ctx, err)
	o := outcomes()[e.Code]
	p := &Problem{
		TransactionID: x.ID,
		Code:          fireCode(o.status),
		Message:       e.Message,
		Retryable:     o.retryable,
		Details:       make([]ProblemDetail, len(e.Details)),
		FreshClientID: e.FreshClientID,
		status:        o.status,
		retryAfter:    e.RetryAfter,
	}
	if sc := x.span.SpanContext(); sc.IsValid() {
		p.TraceID = sc.TraceID().String()
	}
	for i, d := range e.Details {
		p.Details[i] = ProblemDetail(d)
	}
	return p
}

func fireCode(status int) string { return "FIRE-" + strconv.Itoa(status) }

// userError returns what a user may read about err.
func userError(ctx context.Context, err error) *firemode.Error {
	if errors.Is(err, store.ErrOutcomeUnknown) {
		return firemode.Unavailable(time.Second,
			"the database did not confirm the change; retry with the same Idempotency-Key")
	}
	e := (*firemode.Error)(nil)
	if errors.As(err, &e) && e.Code != firemode.CodeInternal {
		return e
	}
	if e == nil && (errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil) {
		return firemode.Unavailable(time.Second, "the request took too long; retry")
	}
	return Failure(firemode.CodeInternal, "internal error; the log entry with this transaction_id has the cause")
}

// Failure returns an error with a code that only HTTP uses.
func Failure(c firemode.Code, format string, args ...any) *firemode.Error {
	return &firemode.Error{Code: c, Message: fmt.Sprintf(format, args...)}
}

// BadQuery refuses a parameter of the query: CodeMalformed.
func BadQuery(name, reason string) error {
	e := firemode.Malformed("%s: %s", name, reason)
	e.Details = []firemode.Detail{{Field: name, Reason: reason}}
	return e
}

// BadPath refuses an id in the path: CodeMalformed.
func BadPath(name string) error { return BadQuery(name, "must be 1 to 64 letters, digits, _ or -") }

// writeProblem answers err. If a part of the response has been sent already it closes the connection
// instead, so that the client does not take the part for the whole.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r.Context(), err)
	if c, ok := w.(*compressor); ok {
		if c.begun() {
			panic(http.ErrAbortHandler)
		}
		c.reset()
	}
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	WriteJSON(w, r, p.status, p)
}
