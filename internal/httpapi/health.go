package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"firemode"
)

// checkDeadline is how long one part of readiness may take to answer.
const checkDeadline = 2 * time.Second

type healthBody struct {
	Ready  bool                `json:"ready"`
	Status string              `json:"status" enum:"healthy,unhealthy"`
	Checks map[string]partBody `json:"checks"`
}

type partBody struct {
	OK        bool    `json:"ok"`
	LatencyMS float64 `json:"latency_ms" doc:"Milliseconds that the check took"`
	State     string  `json:"state" enum:"healthy,degraded,unhealthy" doc:"A degraded part serves, and wants looking after"`
	Message   string  `json:"message,omitempty" doc:"What is the matter"`
}

type healthOutput struct {
	Status int
	Body   healthBody
}

type liveBody struct {
	Status  string `json:"status" enum:"healthy"`
	Version string `json:"version,omitempty" doc:"Of the program"`
}

// live says that the process answers, no more.
func (a *API) live(context.Context, *struct{}) (*reply[liveBody], error) {
	return &reply[liveBody]{Body: liveBody{Status: "healthy", Version: a.Version}}, nil
}

// ready asks every check at once, and waits for none longer than checkDeadline. Why one failed is for the log alone, but for what it says
// to users: the answer is public.
func (a *API) ready(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	out := &healthOutput{Status: http.StatusOK, Body: healthBody{Ready: true, Status: stateHealthy, Checks: map[string]partBody{}}}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failed error
	for name, check := range a.Checks {
		group.Go(func() {
			result, err := a.ask(ctx, name, check)
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
		exchangeOf(ctx).failure = fmt.Errorf("not ready: %w", failed)
		out.Status, out.Body.Ready, out.Body.Status = http.StatusServiceUnavailable, false, stateUnhealthy
	}
	return out, nil
}

// ask gives a check its time. One that is still running, for another caller or since the last time, is not called again: what it says
// is said to all who wait for it.
func (a *API) ask(ctx context.Context, name string, check Check) (partBody, error) {
	begun := a.Now()
	answer := a.probes.DoChan(name, func() (_ any, err error) {
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
	case result := <-answer:
		err = result.Err
	case <-late.C:
		err = context.DeadlineExceeded
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = failure(firemode.CodeUnavailable, "no answer within %s", checkDeadline)
	}
	return stateOf(err, a.Now().Sub(begun)), err
}

// stateOf puts the outcome of a check into words.
func stateOf(err error, took time.Duration) partBody {
	p := partBody{OK: true, State: stateHealthy, LatencyMS: float64(took.Microseconds()) / 1000}
	if slow := (*degraded)(nil); errors.As(err, &slow) {
		p.State, p.Message = stateDegraded, slow.message
		return p
	}
	if err != nil {
		p.OK, p.State = false, stateUnhealthy
	}
	if told := (*firemode.Error)(nil); errors.As(err, &told) && told.Code != firemode.CodeInternal {
		p.Message = told.Message
	}
	return p
}

const (
	stateHealthy   = "healthy"
	stateDegraded  = "degraded"
	stateUnhealthy = "unhealthy"
)

// Degraded is what a Check returns for a part that serves, but not as it should. The message is public.
func Degraded(format string, args ...any) error { return &degraded{fmt.Sprintf(format, args...)} }

type degraded struct{ message string }

func (e *degraded) Error() string { return e.message }

// NewHealth returns the health endpoints and the metrics alone, for a process that serves nothing else. It needs no services.
func NewHealth(c Config) (*API, error) {
	if c.Now == nil || c.NewID == nil || c.Logger == nil || c.Metrics == nil {
		return nil, errors.New("httpapi: Config lacks Now, NewID, Logger or Metrics")
	}
	return build(c, slices.DeleteFunc(routes(), func(rt Route) bool { return rt.Tag != "health" }))
}
