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
	keysRemembered = 10_000 // of each kind; the least recently seen is forgotten first
)

// throttle stops guessing: it counts failed attempts by username and by remote address, on this node, and nothing else.
type throttle struct {
	users   *failures
	remotes *failures
}

func newThrottle() *throttle {
	return &throttle{users: newFailures(userFailures), remotes: newFailures(remoteFailures)}
}

// attempt is one try to show who one is.
type attempt struct {
	username string
	remote   string // address, with or without a port; "" for none
}

// wait is CodeRateLimited if a had too many failures.
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

// network is what an attacker cannot change cheaply: an IPv4 address, or the /64 of an IPv6 one.
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

// foldName is the form in which usernames are compared.
func foldName(username string) string { return strings.ToLower(username) }

// failures remembers when each of a bounded number of keys failed lately.
type failures struct {
	limit int
	mu    sync.Mutex
	// Keys are hashed so that a long one takes no more memory than another.
	seen *simplelru.LRU[[sha256.Size]byte, []time.Time]
}

func newFailures(limit int) *failures {
	seen, err := simplelru.NewLRU[[sha256.Size]byte, []time.Time](keysRemembered, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &failures{limit: limit, seen: seen}
}

// wait is how long until key may try again, not positive if now. The key "" always may.
func (f *failures) wait(key string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	times, _ := f.seen.Get(sha256.Sum256([]byte(key)))
	if len(times) < f.limit {
		return 0
	}
	return times[0].Add(failureWindow).Sub(now)
}

// add counts a failure of key. Only the last limit failures matter, so only they are kept.
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
