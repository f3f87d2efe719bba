package loadtest

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"firemode"
)

// engine drives the virtual users of one run.
type engine struct {
	Config
	target   target
	aside    *http.Client // of the calls around the load
	accounts []*account
	expected firemode.Class // what everybody's finding is classified as
	recorder *recorder
	acks     *acks
}

// closed spawns the users one after another and lets them browse until ctx ends.
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

// crew is the users of the open model, who stay connected from one rate to the next.
type crew struct {
	*engine
	users []*user
}

func (e *engine) newCrew() *crew {
	c := &crew{engine: e}
	for n := range e.Users {
		c.users = append(c.users, e.newUser(n))
		e.recorder.joined()
	}
	return c
}

// open begins rate requests per second for duration: request number n is due at n/rate, whatever became of those before it. Whoever is free
// takes the next one; when nobody is, it starts late and its latency tells.
func (c *crew) open(ctx context.Context, rate float64, duration time.Duration) {
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

func (c *crew) close() {
	for _, u := range c.users {
		u.wire.close()
	}
}
