package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"firemode"
)

// Limits of the contract's load profile.
const (
	P95Limit    = 300 * time.Millisecond // of classify
	BundleLimit = 50_000_000             // bytes on the wire
)

// Config says what to do to whom. Target, Users, Accounts, Session, Item, Condition, Run and Now must be given, and what the model needs:
// the closed one SpawnRate and Duration, the open one Rate and Duration, Saturate Rate and Step.
type Config struct {
	Target      string // URL of the server, e.g. "http://localhost:8080"
	AllowRemote bool   // the target may be another machine
	Accounts    []Account

	Users     int           // virtual users, each with a connection of its own; of the open model, the connections there are
	SpawnRate float64       // users that begin each second
	Duration  time.Duration // until no more requests are begun, the ramp included
	Rate      float64       // requests per second of the open model; 0 for the closed one; where Saturate begins
	Saturate  bool          // climb from Rate until the p95 breaks
	Step      time.Duration // of Saturate: how long each rate is held
	Devices   float64       // share of the users, 0 to 1, who submit as devices that number their batches

	Session   firemode.SessionID
	Item      firemode.RuleCode
	Condition string

	P95     time.Duration // the most that the p95 of classify may be, 0 for P95Limit
	Timeout time.Duration // of one request, 0 for 30 s
	Run     string        // name of this run, part of every value that it writes: must be a new one each time
	Seed    uint64        // of the think times

	Now      func() time.Time
	Progress func(Second)                                                         // told what happened in each second, unless nil
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil for TCP
}

// Account is somebody who may submit results to the session.
type Account struct {
	Username, Password string
}

const (
	defaultTimeout = 30 * time.Second
	// maxDevices is how many clients of one user this package puts into a session; the server takes 256, and earlier runs count too.
	maxDevices = 100
)

// Validate says what is wrong with c.
func (c Config) Validate() error {
	switch {
	case c.Users < 1 || c.Users > 100_000:
		return errors.New("users must be 1 to 100000")
	case len(c.Accounts) == 0:
		return errors.New("somebody must log in: name an account")
	case c.Saturate && c.Step < time.Second:
		return errors.New("saturate holds each rate for at least 1s")
	case !c.Saturate && c.Duration < time.Second:
		return errors.New("the duration must be at least 1s")
	case c.Rate < 0 || c.Saturate && c.Rate == 0:
		return errors.New("rate must be more than 0 requests per second")
	case c.Rate == 0 && c.SpawnRate <= 0:
		return errors.New("spawn-rate must be more than 0 users per second")
	case c.P95 < 0, c.Timeout < 0:
		return errors.New("the limit of the p95 and the timeout cannot be negative")
	case c.Devices < 0 || c.Devices > 1:
		return errors.New("devices is a share, 0 to 1")
	case c.deviceCount() > maxDevices*len(c.Accounts):
		return fmt.Errorf("%d devices are more than %d for each of %d accounts", c.deviceCount(), maxDevices, len(c.Accounts))
	case c.Now == nil, c.Run == "":
		return errors.New("loadtest: Now and Run are required")
	case !firemode.ValidID(c.Run) || len(c.Run) > 32:
		return errors.New("loadtest: Run must be 1 to 32 characters of an id")
	case !firemode.ValidID(string(c.Session)), !firemode.ValidRuleCode(string(c.Item)), c.Condition == "":
		return errors.New("session, item-code and condition are required")
	}
	return nil
}

// deviceCount is how many of the users are devices that number their batches.
func (c Config) deviceCount() int { return int(c.Devices * float64(c.Users)) }

// model is the name of the kind of load.
func (c Config) model() string {
	switch {
	case c.Saturate:
		return "saturate"
	case c.Rate > 0:
		return "open"
	default:
		return "closed"
	}
}
