package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
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

// ready asks every check at once. What failed and why is for the log alone: the answer is public.
func (a *API) ready(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	out := &healthOutput{Status: http.StatusOK, Body: healthBody{Ready: true, Status: "healthy", Checks: map[string]partBody{}}}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failed error
	for name, check := range a.Checks {
		group.Go(func() {
			result, err := a.ask(ctx, check)
			mu.Lock()
			defer mu.Unlock()
			out.Body.Checks[name] = result
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	group.Wait()
	if failed != nil {
		exchangeOf(ctx).failure = fmt.Errorf("not ready: %w", failed)
		out.Status, out.Body.Ready, out.Body.Status = http.StatusServiceUnavailable, false, "unhealthy"
	}
	return out, nil
}

func (a *API) ask(ctx context.Context, check Check) (result partBody, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkDeadline)
	defer cancel()
	begun := a.Now()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
		result = partBody{OK: err == nil, LatencyMS: float64(a.Now().Sub(begun).Microseconds()) / 1000}
	}()
	return result, check(ctx)
}
