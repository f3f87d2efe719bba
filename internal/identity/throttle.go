package identity

import (
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"firemode"
)

const (
	failureWindow  = 5 * time.Minute
	userFailures   = 10
	remoteFailures = 50     // a whole depot can sit behind one address
	keysTracked    = 10_000 // of each kind; the least recently used is dropped first
)

// throttle stops password guessing: it counts failed attempts by username and by remote address, on
// this node.
type throttle struct {
	users   *failures
	remotes *failures
}

func newThrottle() *throttle {
	return &throttle{users: newFailures(userFailures), remotes: newFailures(remoteFailures)}
}

// attempt is one attempt to authenticate.
type attempt struct {
	username string
	remote   string // address, with or without a port; "" for none
}

// wait is CodeRateLimited if a has had too many failures.
func (t *throttle) wait(a attempt, now time.Time) error {
	d := max(t.users.wait(foldName(a.username), now), t.remotes.wait(network(a.remote), now))
	if d <= 0 {
		return nil
	}
	return firemode.RateLimited(d, "too many failed attempts; try again later")
}

// fail counts a failure of a.
func (t *throttle) fail(a attempt, now time.Time) {
	t.users.add(foldName(a.username), now)
	t.remotes.add(network(a.remote), now)
}

// network returns what an attacker cannot change cheaply: an IPv4 address, or the /64 network of an
// IPv6 address.
func network(remote string) string {
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		withPort, err := netip.ParseAddrPort(remote)
		if err != nil {
			return remote
		}
		addr = withPort.Addr()
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return remote
	}
	return prefix.String()
}

// foldName returns username in the form in which names are compared.
func foldName(username string) string { return strings.ToLower(username) }

// failures tracks the recent failures of a bounded number of keys. It is safe for concurrent use.
type failures struct {
	limit int
	mu    sync.Mutex
	// Keys are hashed so that all take the same memory.
	seen *simplelru.LRU[[sha256.Size]byte, []time.Time]
}

func newFailures(limit int) *failures {
	seen, err := simplelru.NewLRU[[sha256.Size]byte, []time.Time](keysTracked, nil)
	if err != nil {
		panic(err) // only if the size is not positive
	}
	return &failures{limit: limit, seen: seen}
}

// wait returns how long key must wait for its next attempt, at most 0 if it need not. The key ""
// never waits.
func (f *failures) wait(key string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	times, _ := f.seen.Get(sha256.Sum256([]byte(key)))
	if len(times) < f.limit {
		return 0
	}
	return times[0].Add(failureWindow).Sub(now)
}

// add counts a failure of key. It keeps the last limit failures; older ones do not matter.
func (f *failures) add(key string, now time.Time) {
	if key == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	hashed := sha256.Sum256([]byte(key))
	times, _ := f.seen.Get(hashed)
	if len(times) == f.limit {
		times = times[1:]
	}
	f.seen.Add(hashed, append(times, now))
}
