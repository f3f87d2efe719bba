package store

import (
	"context"
	"time"
)

// Observed is what a database tells those who run it. Nothing of it belongs to one organisation: it is for metrics, never for an
// answer.
type Observed interface {
	// Stats tells how busy the connections are. It asks nothing of the database, and can be called at any time until Close.
	Stats() Stats
	// Backlog counts, over all organisations, what is open in sessions that are not completed, of buildings that are not
	// archived. Its cost follows the sessions that have something open, not those that there are.
	Backlog(ctx context.Context) (Backlog, error)
}

// Stats is how busy a database's connections are.
type Stats struct {
	Pools  []Pool
	Queues []Queue // of Updates that wait for those before them; none where Updates do not queue
}

// Pool is a set of connections that serve the same purpose.
type Pool struct {
	Name   string
	InUse  int
	Idle   int           // open, and in nobody's use
	Max    int           // most that can be open at once
	Waits  int64         // how often a caller found all of them in use, ever
	Waited time.Duration // by those callers together
}

// Queue is work that waits.
type Queue struct {
	Name  string
	Depth int
}

// Backlog is what people have not dealt with yet.
type Backlog struct {
	Conflicts int64 // open conflicts
	Gaps      int64 // actors with a missing number
}
