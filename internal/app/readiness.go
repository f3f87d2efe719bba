package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/store"
)

const (
	// healthyRoundTrip is the time under which a round trip to the database counts as healthy.
	healthyRoundTrip = 10 * time.Millisecond
	// staleAfter is the age of the list of revoked tokens from which a node is not ready. A
	// revocation is promised to take effect within one second.
	staleAfter = 5 * time.Second
)

// checks returns the checks of /health/ready by name. Their messages are public.
func (n *node) checks() map[string]httpkit.Check {
	all := map[string]httpkit.Check{
		"serving":    n.serving,
		"database":   n.database,
		"migrations": n.migrations,
		"disk":       n.disk,
	}
	if n.config.api() {
		all["revocations"] = n.revocations
	}
	for _, name := range n.expected() {
		all["service:"+name] = func(context.Context) error { return n.supervised(name) }
	}
	return all
}

func unready(format string, args ...any) error {
	return firemode.Unavailable(time.Second, format, args...)
}

func (n *node) serving(context.Context) error {
	if !n.ready.Load() {
		return unready("starting or stopping")
	}
	return nil
}

// database makes a round trip to the database.
func (n *node) database(ctx context.Context) error {
	begun := n.Now()
	if err := n.services.Store.Ping(ctx); err != nil {
		return err
	}
	if took := n.Now().Sub(begun); took >= healthyRoundTrip {
		took = took.Round(time.Millisecond / 10)
		return httpkit.Degraded("a round trip took %s; under %s is healthy", took, healthyRoundTrip)
	}
	return nil
}

// migrations compares the schema of the database with the one this binary knows. A newer schema
// belongs to a release that is being rolled out, and this binary still runs on it.
func (n *node) migrations(ctx context.Context) error {
	err := n.services.Store.CheckSchema(ctx)
	if other := (*store.SchemaError)(nil); errors.As(err, &other) {
		if other.Newer() {
			return httpkit.Degraded("%s", other)
		}
		return unready("%s", other)
	}
	return err
}

func (n *node) revocations(context.Context) error {
	age, err := n.services.Identity.Fresh()
	if age <= staleAfter {
		return nil
	}
	stale := firemode.Unavailable(time.Second, "the list of revoked tokens is older than %s", staleAfter)
	stale.Err = errors.Join(fmt.Errorf("it is %s old", age.Round(time.Second)), err)
	return stale
}

// supervised reports whether a service runs. A node without a dispensable service stays ready:
// otherwise a small failure on all nodes would take the whole API out of the load balancer.
func (n *node) supervised(name string) error {
	s := n.services.group.Status(name)
	if s.Up {
		return nil
	}
	message := "not running"
	if !s.Retry.IsZero() {
		message = fmt.Sprintf("failed; restarts in %s", max(0, s.Retry.Sub(n.Now())).Round(time.Millisecond))
	}
	if dispensable(name) {
		return httpkit.Degraded("%s", message)
	}
	down := firemode.Unavailable(time.Second, "%s", message)
	down.Err = s.Err
	return down
}
