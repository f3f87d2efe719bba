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

// Config configures a run. Target, Users, Accounts, Session, Item, Condition, Run and Now are
// required. The closed model also requires SpawnRate and Duration, the open model Rate and
// Duration, Saturate Rate and Step.
type Config struct {
	Target      string // URL of the server, e.g. "http://localhost:8080"
	AllowRemote bool   // the target may be another machine
	Accounts    []Account

	Users     int           // virtual users, each with its own connection
	SpawnRate float64       // users that start each second
	Duration  time.Duration // of the load, the ramp included
	Rate      float64       // requests per second of the open model, 0 for the closed model; the first rate of Saturate
	Saturate  bool          // increase the rate until the p95 exceeds its limit
	Step      time.Duration // duration of each rate of Saturate
	Devices   float64       // share of the users, 0 to 1, that submit as devices that number their batches

	Session   firemode.SessionID
	Item      firemode.RuleCode
	Condition string

	P95     time.Duration // limit of the p95 of classify, 0 for P95Limit
	Timeout time.Duration // of one request, 0 for 30 s
	Run     string        // name of this run, unique, part of every value that it writes
	Seed    uint64        // of the think times

	Now func() time.Time
	// Progress is called after each second, unless it is nil.
	Progress func(Second)
	// Dial opens the connections; nil for TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Account is a user who may submit results to the session.
type Account struct {
	Username, Password string
}

const (
	defaultTimeout = 30 * time.Second
	// maxDevices is the number of clients of one user in a session. The server allows 256, those of
	// earlier runs included.
	maxDevices = 100
)

// Validate returns what is wrong with c.
func (c Config) Validate() error {
	switch {
	case c.Users < 1 || c.Users > 100_000:
		return errors.New("users must be 1 to 100000")
	case len(c.Accounts) == 0:
		return errors.New("at least one account is required")
	case c.Saturate && c.Step < time.Second:
		return errors.New("saturate holds each rate for at least 1s")
	case !c.Saturate && c.Duration < time.Second:
		return errors.New("the duration must be at least 1s")
	case c.Rate < 0 || c.Saturate && c.Rate == 0:
		return errors.New("rate must be more than 0 requests per second")
	case c.Rate == 0 && c.SpawnRate <= 0:
		return errors.New("spawn-rate must be more than 0 users per second")
	case c.P95 < 0, c.Timeout < 0:
		return errors.New("the p95 limit and the timeout must not be negative")
	case c.Devices < 0 || c.Devices > 1:
		return errors.New("devices must be a share from 0 to 1")
	case c.deviceCount() > maxDevices*len(c.Accounts):
		return fmt.Errorf(
			"%d devices are more than %d for each of %d accounts", c.deviceCount(), maxDevices, len(c.Accounts),
		)
	case c.Now == nil, c.Run == "":
		return errors.New("loadtest: Now and Run are required")
	case !firemode.ValidID(c.Run) || len(c.Run) > 32:
		return errors.New("loadtest: Run must be 1 to 32 characters of an id")
	case !firemode.ValidID(string(c.Session)), !firemode.ValidRuleCode(string(c.Item)), c.Condition == "":
		return errors.New("session, item-code and condition are required")
	}
	return nil
}

// deviceCount returns how many users are devices that number their batches.
func (c Config) deviceCount() int { return int(c.Devices * float64(c.Users)) }

// model returns the name of the load model.
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
