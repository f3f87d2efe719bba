package httpkit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"firemode"
)

// checkDeadline is how long one check may take.
const checkDeadline = 2 * time.Second

// Check is one part of readiness. It returns nil if that part can serve, or Degraded. It gets a
// context with a deadline, and runs once at a time. Only the message of a firemode.Error is public.
type Check func(context.Context) error

// Health answers the health endpoints. It is safe for concurrent use.
type Health struct {
	checks  map[string]Check
	now     func() time.Time
	version string
	running singleflight.Group // the checks
}

// NewHealth returns the Health of a process that is ready if every check passes. checks is by name;
// version is that of the program.
func NewHealth(checks map[string]Check, now func() time.Time, version string) *Health {
	return &Health{checks: checks, now: now, version: version}
}

// HealthBody is readiness, part by part.
type HealthBody struct {
	Ready  bool                `json:"ready"`
	Status string              `json:"status" enum:"healthy,unhealthy"`
	Checks map[string]PartBody `json:"checks"`
}

// PartBody is what one check found.
type PartBody struct {
	OK        bool    `json:"ok"`
	LatencyMS float64 `json:"latency_ms" doc:"Milliseconds that the check took"`
	State     string  `json:"state" enum:"healthy,degraded,unhealthy" doc:"A degraded part serves, and wants looking after"`
	Message   string  `json:"message,omitempty" doc:"What is the matter"`
}

// HealthOutput is the output of Ready.
type HealthOutput struct {
	Status int
	Body   HealthBody
}

// LiveBody is the body of Live.
type LiveBody struct {
	Status  string `json:"status" enum:"healthy"`
	Version string `json:"version,omitempty" doc:"Of the program"`
}

// Live answers that the process runs.
func (h *Health) Live(context.Context, *struct{}) (*Reply[LiveBody], error) {
	return &Reply[LiveBody]{Body: LiveBody{Status: "healthy", Version: h.version}}, nil
}

// Ready runs all checks concurrently and waits at most checkDeadline. The response is public, so the
// cause of a failure goes to the log alone.
func (h *Health) Ready(ctx context.Context, _ *struct{}) (*HealthOutput, error) {
	body := HealthBody{Ready: true, Status: stateHealthy, Checks: map[string]PartBody{}}
	out := &HealthOutput{Status: http.StatusOK, Body: body}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failed error
	for name, check := range h.checks {
		group.Go(func() {
			result, err := h.ask(ctx, name, check)
			mu.Lock()
			defer mu.Unlock()
			out.Body.Checks[name] = result
			if !result.OK {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	group.Wait()
	if failed != nil {
		StateOf(ctx).failure = fmt.Errorf("not ready: %w", failed)
		out.Status, out.Body.Ready, out.Body.Status = http.StatusServiceUnavailable, false, stateUnhealthy
	}
	return out, nil
}

// ask runs a check with its deadline. If the check is still running, for another request or since an
// earlier one, ask waits for that run.
func (h *Health) ask(ctx context.Context, name string, check Check) (PartBody, error) {
	begun := h.now()
	result := h.running.DoChan(name, func() (_ any, err error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkDeadline)
		defer cancel()
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
			}
		}()
		return nil, check(ctx)
	})
	late := time.NewTimer(checkDeadline)
	defer late.Stop()
	var err error
	select {
	case r := <-result:
		err = r.Err
	case <-late.C:
		err = context.DeadlineExceeded
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = Failure(firemode.CodeUnavailable, "no answer within %s", checkDeadline)
	}
	return stateOf(err, h.now().Sub(begun)), err
}

// stateOf returns the result of a check.
func stateOf(err error, took time.Duration) PartBody {
	p := PartBody{OK: true, State: stateHealthy, LatencyMS: float64(took.Microseconds()) / 1000}
	if slow := (*degraded)(nil); errors.As(err, &slow) {
		p.State, p.Message = stateDegraded, slow.message
		return p
	}
	if err != nil {
		p.OK, p.State = false, stateUnhealthy
	}
	if public := (*firemode.Error)(nil); errors.As(err, &public) && public.Code != firemode.CodeInternal {
		p.Message = public.Message
	}
	return p
}

const (
	stateHealthy   = "healthy"
	stateDegraded  = "degraded"
	stateUnhealthy = "unhealthy"
)

// Degraded returns the error of a Check whose part serves, but needs attention. The message is
// public.
func Degraded(format string, args ...any) error { return &degraded{fmt.Sprintf(format, args...)} }

type degraded struct{ message string }

func (e *degraded) Error() string { return e.message }
