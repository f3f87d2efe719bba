package loadtest

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The closed model in virtual time: the ramp is the one asked for, everybody thinks between
// requests, the mix is the contract's, and everything is read back.
func TestRun_ClosedModel_RampThinkTimeAndMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := serveFake(t)
		var users []int
		c.Progress = func(s Second) { users = append(users, s.Users) }
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		// Users 0 to 9 begin in the first second, at n/9.7 s; the rest in the next two.
		if want := []int{10, 20, 20}; !slices.Equal(users[:3], want) {
			t.Errorf("users after each second: %v, want %v", users[:3], want)
		}
		if !slices.Equal(f.logins, []string{"ann", "ben"}) {
			t.Errorf("logins %v", f.logins)
		}
		if r.Took != 20 || !r.Complete || !r.Passed {
			t.Errorf("took %v, complete %v, passed %v: %+v", r.Took, r.Complete, r.Passed, r.Requirements)
		}
		// 20 users in 20 s, less half of a ramp of 2 s, with a second of thought each time.
		if r.Requests < 360 || r.Requests > 400 {
			t.Errorf("%d requests", r.Requests)
		}
		for e, share := range []float64{10, 5, 2} {
			if got := float64(r.Endpoints[e].Requests) * 17 / float64(r.Requests); math.Abs(got-share) > 0.3 {
				t.Errorf("%s is %.2f of 17, want %v", r.Endpoints[e].Name, got, share)
			}
		}
		n := len(f.written)
		if want := (Readback{Acknowledged: n, Found: n, Shown: 1, Superseded: n - 1}); !equal(r.Readback, want) {
			t.Errorf("read back %+v, want %+v", r.Readback, want)
		}
		const us = 1e-6
		least := Latency{P50: us, P90: us, P95: us, P99: us, P999: us, Max: us, Mean: us}
		if got := r.Endpoints[Classify].Latency; got != least {
			t.Errorf("a server that takes no time has latency %+v", got)
		}
	})
}

func equal(a, b Readback) bool {
	return a.Acknowledged == b.Acknowledged && a.Found == b.Found && a.Shown == b.Shown &&
		a.Superseded == b.Superseded &&
		a.LostCount == b.LostCount &&
		a.Error == b.Error
}

// A server that stalls for two seconds: everything that was to begin meanwhile waits for its end,
// and is counted with the time that it waited, although there are connections for a few of them
// only.
func TestOpen_ServerStalls_WaitingRequestsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := serveFake(t)
		start := time.Now()
		f.pause = func(path string) time.Duration {
			at := time.Since(start)
			if at >= 3*time.Second && at < 5*time.Second {
				return 5*time.Second - at
			}
			return 0
		}
		c.Users = 10
		e := engineFor(t, c)
		e.newUserPool().open(t.Context(), 100, 10*time.Second)
		e.control.CloseIdleConnections()
		slow, all := 0, 0
		for endpoint := range endpoints {
			for _, bar := range e.recorder.total[endpoint].latency.Distribution() {
				all += int(bar.Count)
				if bar.From > 1000 {
					slow += int(bar.Count)
				}
			}
		}
		// Those due in [3 s, 5 s): 200 of 1000, number n having waited 5 s - n/100 s.
		if all != 1000 || slow != 200 {
			t.Errorf("%d requests, %d of them slow, want 1000 and 200", all, slow)
		}
		if l := latencyOf(e.recorder.total[Classify].latency); math.Abs(l.Max-2) > 0.01 || math.Abs(l.P90-1) > 0.05 {
			t.Errorf("max %v and p90 %v of classify, want 2 s and 1 s", l.Max, l.P90)
		}
	})
}

func TestRun_Saturate_FindsTheCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := serveFake(t)
		// Ten connections and 50 ms for a request: 200 per second is all there is.
		f.pause = func(string) time.Duration { return 50 * time.Millisecond }
		c.Users, c.Rate, c.Saturate, c.Step = 10, 128, true, 10*time.Second
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		var rates []float64
		for _, s := range r.Steps {
			rates = append(rates, s.Rate)
		}
		// 128 and 160 hold, 200 is on the edge and holds, 250 does not, nor do the halves of the
		// gap.
		if want := []float64{128, 160, 200, 250, 225, 212.5}; !slices.Equal(rates, want) {
			t.Errorf("rates %v, want %v", rates, want)
		}
		if r.Ceiling != 200 || !r.Passed {
			t.Errorf("ceiling %v, passed %v", r.Ceiling, r.Passed)
		}
		if last := r.Steps[len(r.Steps)-1]; last.Broke == "" || math.Abs(last.Achieved-200) > 3 {
			t.Errorf("last step %+v, want it broken at 200 per second", last)
		}
	})
}

// A server that takes 301 ms to classify misses the p95, and nothing else.
func TestRun_SlowServer_OnlyTheP95Fails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := serveFake(t)
		f.pause = func(path string) time.Duration {
			if path == "/v1/classify" {
				return 301 * time.Millisecond
			}
			return 0
		}
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Passed || r.p95().Line != "FAILED: P95 latency exceeds 300ms requirement" || !r.answered().Passed ||
			!r.bundles().Passed ||
			!r.log().Passed {
			t.Errorf("passed %v: %+v", r.Passed, r.Requirements)
		}
	})
}

func TestRun_ContextEnds_IncompleteReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := serveFake(t)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		r, err := Run(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Complete || r.Passed || r.Took != 5 || r.Readback.Found != r.Readback.Acknowledged ||
			r.Readback.Found == 0 {
			t.Errorf("complete %v, passed %v, took %v, read back %+v", r.Complete, r.Passed, r.Took, r.Readback)
		}
		for _, q := range r.Requirements {
			if !q.Passed {
				t.Errorf("so far: %s", q.Line)
			}
		}
	})
}

// What takes longer than the time-out has failed, and its connection is not used again.
func TestRun_Timeout_Failure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := serveFake(t)
		begun := time.Now()
		f.pause = func(path string) time.Duration {
			if path == "/v1/classify" && time.Since(begun) > time.Second && time.Since(begun) < 2*time.Second {
				return time.Minute
			}
			return 0
		}
		c.Users, c.Rate, c.Duration, c.Timeout = 5, 10, 10*time.Second, 2*time.Second
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		want := []FailureCount{{Failure{"classify", "no response: read pipe: i/o timeout"}, r.Failed}}
		if !slices.Equal(r.Failures, want) || r.Failed != r.Endpoints[Classify].Failed || r.Failed < 1 {
			t.Errorf("failures %v, want %v", r.Failures, want)
		}
		if r.Requests != 100 {
			t.Errorf("%d requests, want 100", r.Requests)
		}
	})
}

func TestRun_LongRun_TokensRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := serveFake(t)
		var refreshed []time.Duration
		begun := time.Now()
		f.pause = func(path string) time.Duration {
			if path == "/v1/auth/refresh" {
				refreshed = append(refreshed, time.Since(begun))
			}
			return 0
		}
		e := engineFor(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		defer cancel()
		e.renewTokens(ctx, e.accounts[0])
		if want := []time.Duration{14*time.Minute + 40*time.Second}; !slices.Equal(refreshed, want) {
			t.Errorf("refreshed at %v, want %v", refreshed, want)
		}
		e.control.CloseIdleConnections()
	})
}
