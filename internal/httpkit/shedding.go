package httpkit

import (
	"net/http"
	"time"

	"firemode"
)

// QueueDatabase names the queue that every write waits in.
const QueueDatabase = "database"

const (
	// maxRetryAfter is the longest Retry-After of a shed request. How long a queue stays deep cannot
	// be predicted any further.
	maxRetryAfter = 30 * time.Second
	// reasonMemory is reported when body memory is exhausted.
	reasonMemory = "memory"
)

// loadShedder refuses requests that would wait too long or take too much memory.
type loadShedder struct {
	queues  map[string]func() time.Duration
	after   time.Duration
	memory  bodyMemory
	metrics Metrics
}

// admissionCheck refuses a write if a queue that it would join is too deep. It runs before the body
// is read; a request whose body has been read is never refused because of load. Reads wait in no
// queue, and are always admitted.
func (l *loadShedder) admissionCheck(rt *Route) error {
	if rt.Method == http.MethodGet {
		return nil
	}
	for _, name := range []string{QueueDatabase, rt.Queue} {
		depth := l.queues[name]
		if depth == nil {
			continue
		}
		if d := depth(); d > l.after {
			return l.shed(name, d)
		}
	}
	return nil
}

// shed reports and returns the refusal of a request. A queue takes about as long to drain as it took
// to fill, so its depth is the Retry-After.
func (l *loadShedder) shed(reason string, wait time.Duration) error {
	l.metrics.RequestShed(reason)
	return firemode.Unavailable(min(wait, maxRetryAfter), "server overloaded; the request was not processed; retry later")
}
