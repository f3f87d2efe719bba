package store

import "time"

// Stats is how busy the connections of a database are.
type Stats struct {
	Pools  []Pool
	Queues []Queue // of Updates that wait for others; none where Updates do not queue
	// Wait is how long the first of the Updates that have not begun has been waiting for its turn;
	// 0 when none waits.
	Wait time.Duration
}

// Pool is a set of connections that serve the same purpose.
type Pool struct {
	Name   string
	InUse  int
	Idle   int           // open and not in use
	Max    int           // most that can be open at once
	Waits  int64         // how often a caller found all of them in use, since the database was opened
	Waited time.Duration // by those callers together
}

// Queue is work that waits.
type Queue struct {
	Name  string
	Depth int // how many Updates
}

// Backlog is the work that is left to people.
type Backlog struct {
	Conflicts int64 // open conflicts
	Gaps      int64 // actors with a missing number
}
