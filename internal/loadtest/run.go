package loadtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"firemode/client"
)

// Run puts the load on the target and reports how it stood it. When ctx ends it begins no more requests, reads back what was acknowledged, and
// the report is marked incomplete. An error is a run that never was: a setting, a login, a session that is not there.
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
	e := &engine{Config: c, target: t, aside: t.client(), acks: &acks{}}
	defer e.aside.CloseIdleConnections()
	if err := e.logIn(ctx); err != nil {
		return Report{}, err
	}
	after, err := e.probe(ctx)
	if err != nil {
		return Report{}, err
	}
	return e.run(ctx, after), nil
}

// logIn logs every account in, before there is any load.
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

// probe makes sure that there is something to test, and notes what the answers must say. It returns the number of the session's last log entry.
func (e *engine) probe(ctx context.Context) (after int64, err error) {
	for _, a := range e.accounts {
		if _, err := a.api.Session(ctx, e.Session); err != nil {
			return 0, fmt.Errorf("%s sees no session %s: %w", a.Username, e.Session, err)
		}
	}
	api := e.accounts[0].api
	judged, err := api.Classify(ctx, client.Finding{Code: e.Item, Condition: e.Condition})
	if err != nil {
		return 0, fmt.Errorf("classify %s %s: %w", e.Item, e.Condition, err)
	}
	if judged.Class == "" {
		return 0, errors.New("classify: the answer has no classification")
	}
	e.expected = judged.Class
	status, err := api.SyncStatus(ctx, e.Session)
	return status.Sequence, err
}

// run is the load itself, and everything that goes on beside it.
func (e *engine) run(ctx context.Context, after int64) Report {
	machine, server, api := newMachine(), Server{}, e.accounts[0].api
	cpuBefore := server.sample(ctx, api)
	started := e.Now()
	e.recorder = newRecorder(started)

	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var others sync.WaitGroup
	for _, a := range e.accounts {
		others.Go(func() { e.keepFresh(beside, a) })
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

// load runs the model that was asked for to its end.
func (e *engine) load(ctx context.Context) (steps []Step, ceiling float64) {
	switch e.model() {
	case "saturate":
		return e.saturate(ctx)
	case "open":
		c := e.newCrew()
		defer c.close()
		c.open(ctx, e.Rate, e.Duration)
	default:
		ctx, cancel := context.WithTimeout(ctx, e.Duration)
		defer cancel()
		e.closed(ctx)
	}
	return nil, 0
}

// sampleEvery is how many seconds lie between two looks at the server's metrics.
const sampleEvery = 5

// tick ends each second until ctx ends.
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
