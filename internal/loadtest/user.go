package loadtest

import (
	"context"
	"math/rand/v2"
	"time"
)

// user is one virtual user, for one goroutine.
type user struct {
	*engine
	account   int
	wire      wire
	writer    writer
	unsettled bool   // the last submission was not acknowledged
	out       []byte // the request that is being made
}

func (e *engine) newUser(n int) *user {
	u := &user{engine: e, account: n % len(e.accounts)}
	u.wire = wire{target: e.target, timeout: e.Timeout, now: e.Now}
	u.writer = writer{run: e.Run, user: n}
	if n < e.deviceCount() {
		u.writer.device = e.Run + "-d" + value("", n, 0)[1:]
	}
	return u
}

// browse is the closed model: request after request with time to think in between, until ctx ends. What is under way then is finished.
func (u *user) browse(ctx context.Context) {
	u.recorder.joined()
	defer u.wire.close()
	n := int64(u.writer.user)
	chance := rand.New(rand.NewPCG(u.Seed, uint64(n))) //nolint:gosec // it decides how long somebody thinks
	sleep := newSleeper(u.Now)
	for due := u.Now(); sleep.until(ctx, due); n++ {
		u.perform(ctx, endpointAt(n), due)
		due = u.Now().Add(think(chance))
	}
}

// perform makes one request, which was meant to start at due.
func (u *user) perform(ctx context.Context, e Endpoint, due time.Time) {
	ctx = context.WithoutCancel(ctx) // the end of the run begins no more requests; it does not break any off
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

func (u *user) says() *script { return u.accounts[u.account].script.Load() }

func (u *user) classify(ctx context.Context) error {
	a, err := u.wire.exchange(ctx, u.says().classify, true)
	if err != nil {
		return err
	}
	return a.classified(u.expected)
}

func (u *user) submit(ctx context.Context) error {
	key, body := u.writer.next(u.unsettled)
	u.unsettled = true
	u.out = u.says().submission(u.out[:0], key, body)
	a, err := u.wire.exchange(ctx, u.out, true)
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
	a, err := u.wire.exchange(ctx, u.says().bundle, false)
	if err != nil {
		return 0, err
	}
	return a.size, a.bundled()
}
