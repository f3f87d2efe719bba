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
	// promptly is how long a round trip to a healthy database takes at most.
	promptly = 10 * time.Millisecond
	// staleAfter is how old the list of revoked tokens may be before a node is not ready: the promise is one second.
	staleAfter = 5 * time.Second
)

// checks are what readiness asks. What they say is public.
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

// database makes a round trip.
func (n *node) database(ctx context.Context) error {
	begun := n.Now()
	if err := n.services.Store.Ping(ctx); err != nil {
		return err
	}
	if took := n.Now().Sub(begun); took >= promptly {
		return httpkit.Degraded("a round trip took %s; under %s is healthy", took.Round(time.Millisecond/10), promptly)
	}
	return nil
}

// migrations compares the schema with this binary's. A newer one is that of a release that is being rolled out: old code runs on it.
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

// supervised tells whether a service runs. Without one that can be spared for a while the node goes on: taking it, and maybe all its like,
// away from the load balancer would make an outage of a nuisance.
func (n *node) supervised(name string) error {
	s := n.services.group.Status(name)
	if s.Up {
		return nil
	}
	message := "it does not run"
	if !s.Retry.IsZero() {
		message = fmt.Sprintf("it failed, and is started again in %s", max(0, s.Retry.Sub(n.Now())).Round(time.Millisecond))
	}
	if spare(name) {
		return httpkit.Degraded("%s", message)
	}
	down := firemode.Unavailable(time.Second, "%s", message)
	down.Err = s.Err
	return down
}
