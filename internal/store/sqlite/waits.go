package sqlite

import (
	"sync/atomic"
	"time"
)

// waits counts how often callers waited for a connection, and how long in total.
type waits struct {
	count atomic.Int64
	nanos atomic.Int64
}

func (w *waits) add(waited time.Duration) {
	w.count.Add(1)
	w.nanos.Add(int64(max(0, waited)))
}

func (w *waits) total() time.Duration { return time.Duration(w.nanos.Load()) }
