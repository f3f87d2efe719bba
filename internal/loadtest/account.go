package loadtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"firemode/client"
)

// account is somebody who is logged in, once, however many virtual users work in that name.
type account struct {
	Account
	api    *client.Client
	script atomic.Pointer[script]
}

// loginAttempts is how often a call around the load is tried.
const loginAttempts = 4

// renewAhead is how long before the expiry of a token the next one is fetched; the client itself renews 30 s before.
const renewAhead = 20 * time.Second

// login logs somebody in.
func (e *engine) login(ctx context.Context, who Account) (*account, error) {
	api, err := client.New(client.Config{BaseURL: e.target.base, HTTP: e.aside, Attempts: loginAttempts, Now: e.Now})
	if err != nil {
		return nil, err
	}
	if err := api.Login(ctx, who.Username, who.Password); err != nil {
		return nil, fmt.Errorf("log in as %s: %w", who.Username, err)
	}
	a := &account{Account: who, api: api}
	return a, e.encode(a)
}

// encode prepares the requests of an account for its token.
func (e *engine) encode(a *account) error {
	s, err := newScript(e.target, e.Config, a.api.Tokens().Access)
	if err == nil {
		a.script.Store(s)
	}
	return err
}

// keepFresh renews an account's token before it expires, until ctx ends. One that cannot be renewed shows in the requests.
func (e *engine) keepFresh(ctx context.Context, a *account) {
	for sleep := newSleeper(e.Now); ; {
		expires := a.api.Tokens().ExpiresAt
		if expires.IsZero() || !sleep.until(ctx, expires.Add(-renewAhead)) {
			return
		}
		if _, err := a.api.Me(ctx); err != nil || e.encode(a) != nil {
			return
		}
	}
}
