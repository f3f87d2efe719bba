package bundles

import (
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"firemode/internal/record/ledger"
)

// cache keeps the bundles of the sessions requested last, at most a number of them and about a
// number of bytes. It is safe for concurrent use.
type cache struct {
	entries *lru.Cache[ledger.SessionRef, *cacheEntry]
	bytes   int64
}

// cacheEntry is the bundle of one session. Its lock is held during a build, so that callers who
// wait share it.
type cacheEntry struct {
	mu     sync.Mutex
	bundle *Bundle // nil until the first build
	built  time.Time
	plan   *Plan        // of the last build
	size   atomic.Int64 // of the bundle, in bytes
}

func newCache(entries int, bytes int64) (*cache, error) {
	kept, err := lru.New[ledger.SessionRef, *cacheEntry](entries)
	return &cache{kept, bytes}, err
}

// entry returns the entry of a session, which it adds if there is none.
func (c *cache) entry(at ledger.SessionRef) *cacheEntry {
	if e, ok := c.entries.Get(at); ok {
		return e
	}
	made := &cacheEntry{}
	if e, known, _ := c.entries.PeekOrAdd(at, made); known {
		return e
	}
	return made
}

// resize sets the size of an entry, and removes the entries requested least recently until the rest
// is small enough.
func (c *cache) resize(e *cacheEntry, size int64) {
	e.size.Store(size)
	total := int64(0)
	for _, kept := range c.entries.Values() {
		total += kept.size.Load()
	}
	for total > c.bytes {
		_, oldest, ok := c.entries.RemoveOldest()
		if !ok {
			return
		}
		total -= oldest.size.Load()
	}
}
