package sqlite

import (
	"sync/atomic"
	"time"
)

// waits adds up how often, and how long, callers waited for a connection.
type waits struct {
	count atomic.Int64
	nanos atomic.Int64
}

func (w *waits) add(waited time.Duration) {
	w.count.Add(1)
	w.nanos.Add(int64(max(0, waited)))
}

func (w *waits) total() time.Duration { return time.Duration(w.nanos.Load()) }
