package loadtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"firemode/client"
)

// user is one virtual user. It belongs to one goroutine.
type user struct {
	*engine
	account   int
	conn      connection
	writer    writer
	unsettled bool   // the last submission was not acknowledged
	out       []byte // buffer of the current request
}

func (e *engine) newUser(n int) *user {
	u := &user{engine: e, account: n % len(e.accounts)}
	u.conn = connection{target: e.target, timeout: e.Timeout, now: e.Now}
	u.writer = writer{run: e.Run, user: n}
	if n < e.deviceCount() {
		u.writer.device = e.Run + "-d" + value("", n, 0)[1:]
	}
	return u
}

// browse is the closed model: request after request with think time in between, until ctx ends. A
// started request is finished.
func (u *user) browse(ctx context.Context) {
	u.recorder.joined()
	defer u.conn.close()
	n := int64(u.writer.user)
	chance := rand.New(rand.NewPCG(u.Seed, uint64(n))) //nolint:gosec // think times need no secrecy
	sleep := newSleeper(u.Now)
	for due := u.Now(); sleep.until(ctx, due); n++ {
		u.perform(ctx, endpointAt(n), due)
		due = u.Now().Add(think(chance))
	}
}

// perform sends one request, whose intended start is due.
func (u *user) perform(ctx context.Context, e Endpoint, due time.Time) {
	ctx = context.WithoutCancel(ctx) // the end of the run does not abort requests
	o := outcome{endpoint: e}
	switch e {
	case Classify:
		o.err = u.classify(ctx)
	case Results:
		o.err = u.submit(ctx)
	default:
		o.size, o.err = u.fetch(ctx)
	}
	o.latency = u.Now().Sub(due)
	u.recorder.record(o)
}

func (u *user) encoded() *encodedRequests { return u.accounts[u.account].requests.Load() }

func (u *user) classify(ctx context.Context) error {
	a, err := u.conn.send(ctx, u.encoded().classify, true)
	if err != nil {
		return err
	}
	return a.classified(u.expected)
}

func (u *user) submit(ctx context.Context) error {
	key, body := u.writer.next(u.unsettled)
	u.unsettled = true
	u.out = u.encoded().submission(u.out[:0], key, body)
	a, err := u.conn.send(ctx, u.out, true)
	if err != nil {
		return err
	}
	if err := a.acknowledged(); err != nil {
		return err
	}
	u.unsettled = false
	u.acks.add(ack{user: int32(u.writer.user), number: u.writer.number, at: u.Now()})
	return nil
}

func (u *user) fetch(ctx context.Context) (size int64, err error) {
	a, err := u.conn.send(ctx, u.encoded().bundle, false)
	if err != nil {
		return 0, err
	}
	return a.size, a.bundled()
}

// account is a user who is logged in. Many virtual users share one account.
type account struct {
	Account
	api      *client.Client
	requests atomic.Pointer[encodedRequests]
}

// loginAttempts is the number of attempts of a call around the load.
const loginAttempts = 4

// renewAhead is how long before the expiry of a token a call makes the client renew it. The client
// does so from 30 s before.
const renewAhead = 20 * time.Second

// login logs an account in.
func (e *engine) login(ctx context.Context, who Account) (*account, error) {
	api, err := client.New(client.Config{BaseURL: e.target.base, HTTP: e.control, Attempts: loginAttempts, Now: e.Now})
	if err != nil {
		return nil, err
	}
	if err := api.Login(ctx, who.Username, who.Password); err != nil {
		return nil, fmt.Errorf("log in as %s: %w", who.Username, err)
	}
	a := &account{Account: who, api: api}
	return a, e.encode(a)
}

// encode encodes the requests of an account with its current token.
func (e *engine) encode(a *account) error {
	s, err := encodeRequests(e.target, e.Config, a.api.Tokens().Access)
	if err == nil {
		a.requests.Store(s)
	}
	return err
}

// renewTokens renews the token of an account before it expires, until ctx ends. If a renewal fails,
// the requests of the account fail.
func (e *engine) renewTokens(ctx context.Context, a *account) {
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
