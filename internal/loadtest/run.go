package loadtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"firemode"
	"firemode/client"
)

// Run runs the load against the target and reports the outcome. When ctx ends, Run starts no more
// requests, reads back what was acknowledged and marks the report incomplete. An error means that
// the load did not start: an invalid setting, a failed login, a missing session.
func Run(ctx context.Context, c Config) (Report, error) {
	if err := c.Validate(); err != nil {
		return Report{}, err
	}
	t, err := newTarget(c)
	if err != nil {
		return Report{}, err
	}
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.P95 = cmp.Or(c.P95, P95Limit)
	e := &engine{Config: c, target: t, control: t.client(), acks: &acks{}}
	defer e.control.CloseIdleConnections()
	if err := e.logIn(ctx); err != nil {
		return Report{}, err
	}
	after, err := e.probe(ctx)
	if err != nil {
		return Report{}, err
	}
	return e.run(ctx, after), nil
}

// logIn logs every account in, before the load starts.
func (e *engine) logIn(ctx context.Context) error {
	for _, who := range e.Config.Accounts {
		a, err := e.login(ctx, who)
		if err != nil {
			return err
		}
		e.accounts = append(e.accounts, a)
	}
	return nil
}

// probe checks that every account can use the session, and stores the expected classification. It
// returns the number of the last entry of the session's log.
func (e *engine) probe(ctx context.Context) (after int64, err error) {
	for _, a := range e.accounts {
		if _, err := a.api.Session(ctx, e.Session); err != nil {
			return 0, fmt.Errorf("%s sees no session %s: %w", a.Username, e.Session, err)
		}
	}
	api := e.accounts[0].api
	found, err := api.Classify(ctx, client.Finding{Code: e.Item, Condition: e.Condition})
	if err != nil {
		return 0, fmt.Errorf("classify %s %s: %w", e.Item, e.Condition, err)
	}
	if found.Class == "" {
		return 0, errors.New("classify: the response has no classification")
	}
	e.expected = found.Class
	status, err := api.SyncStatus(ctx, e.Session)
	return status.Sequence, err
}

// run generates the load. Beside it, it renews tokens, reports progress and samples the metrics of
// the server.
func (e *engine) run(ctx context.Context, after int64) Report {
	machine, server, api := newMachine(), Server{}, e.accounts[0].api
	cpuBefore := server.sample(ctx, api)
	started := e.Now()
	e.recorder = newRecorder(started)

	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var others sync.WaitGroup
	for _, a := range e.accounts {
		others.Go(func() { e.renewTokens(beside, a) })
	}
	others.Go(func() { e.tick(beside, &server) })
	steps, ceiling := e.load(ctx)
	stop()
	others.Wait()
	e.recorder.finish(e.Now())

	machine.finish()
	r := e.report(started)
	r.Steps, r.Ceiling, r.Complete = steps, ceiling, ctx.Err() == nil
	calm := context.WithoutCancel(ctx)
	server.CPU = server.sample(calm, api) - cpuBefore
	r.Server, r.Machine = server, machine
	r.Readback = e.readBack(calm, after)
	r.decide()
	return r
}

// load runs the configured model to its end.
func (e *engine) load(ctx context.Context) (steps []Step, ceiling float64) {
	switch e.model() {
	case "saturate":
		return e.saturate(ctx)
	case "open":
		c := e.newUserPool()
		defer c.close()
		c.open(ctx, e.Rate, e.Duration)
	default:
		ctx, cancel := context.WithTimeout(ctx, e.Duration)
		defer cancel()
		e.closed(ctx)
	}
	return nil, 0
}

// sampleEvery is the number of seconds between two samples of the server's metrics.
const sampleEvery = 5

// tick closes the statistics of each second until ctx ends.
func (e *engine) tick(ctx context.Context, server *Server) {
	sleep := newSleeper(e.Now)
	for n := 1; sleep.until(ctx, e.recorder.start.Add(time.Duration(n)*time.Second)); n++ {
		second := e.recorder.cut(e.Now())
		if e.Progress != nil {
			e.Progress(second)
		}
		if n%sampleEvery == 0 {
			server.sample(ctx, e.accounts[0].api)
		}
	}
}

// engine is one run.
type engine struct {
	Config
	target   target
	control  *http.Client // for the calls around the load
	accounts []*account
	expected firemode.Class // of every classify response
	recorder *recorder
	acks     *acks
}

// closed starts the users one after another. They browse until ctx ends.
func (e *engine) closed(ctx context.Context) {
	start, sleep := e.Now(), newSleeper(e.Now)
	var users sync.WaitGroup
	defer users.Wait()
	for n := range e.Users {
		if !sleep.until(ctx, start.Add(offset(int64(n), e.SpawnRate))) {
			return
		}
		users.Go(func() { e.newUser(n).browse(ctx) })
	}
}

// userPool is the users of the open model. They stay connected from one rate to the next.
type userPool struct {
	*engine
	users []*user
}

func (e *engine) newUserPool() *userPool {
	c := &userPool{engine: e}
	for n := range e.Users {
		c.users = append(c.users, e.newUser(n))
		e.recorder.joined()
	}
	return c
}

// open starts rate requests per second for duration. Request number n is due at n/rate, independent
// of earlier requests. A free user takes it; if no user is free it starts late, and the delay is
// part of its latency.
func (c *userPool) open(ctx context.Context, rate float64, duration time.Duration) {
	start := c.Now()
	var next atomic.Int64
	var users sync.WaitGroup
	for _, u := range c.users {
		users.Go(func() {
			for sleep := newSleeper(c.Now); ; {
				n := next.Add(1) - 1
				due := offset(n, rate)
				if due >= duration || !sleep.until(ctx, start.Add(due)) {
					return
				}
				u.perform(ctx, endpointAt(n), start.Add(due))
			}
		})
	}
	users.Wait()
}

func (c *userPool) close() {
	for _, u := range c.users {
		u.conn.close()
	}
}
