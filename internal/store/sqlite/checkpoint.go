package sqlite

import (
	"context"
	"time"
)

const (
	// checkpointEvery is the least time between two checkpoints.
	checkpointEvery = 250 * time.Millisecond
	// checkpointWait is how long new Views may wait for running ones to end, so that a checkpoint
	// can be complete.
	checkpointWait = 50 * time.Millisecond
)

// checkpoint moves the content of the write-ahead log into the database file from time to time: all
// of it, or nothing.
//
// SQLite would checkpoint by itself, and also partially, up to what the oldest View still needs. It
// counts a part as moved once it is written, and syncs it with the next complete checkpoint. If
// that sync fails, the kernel forgets the unwritten pages; the next checkpoint skips the part that
// was counted, succeeds, and lets the log be overwritten: committed pages are lost. A complete
// checkpoint counts nothing before its sync, so that after a failure the next one writes
// everything. Readers in other processes can still cause a partial one; they are commands that end
// soon.
//
// A checkpoint that fails, or cannot be complete, loses nothing: the log grows until one succeeds.
func (w *writer) checkpoint() {
	if w.conn == nil || w.now().Sub(w.checkpointed) < checkpointEvery {
		return
	}
	w.checkpointed = w.now()
	resume, ok := w.readers.pause(checkpointWait)
	if !ok {
		return
	}
	defer resume()
	rows, err := w.conn.raw.QueryContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
	if err == nil {
		rows.Close() //nolint:errcheck // the next checkpoint retries
	}
}

// pause waits until no View runs, and makes new ones wait until resume is called. ok is false, and
// no View waits, if one runs for longer than wait.
func (r *readers) pause(wait time.Duration) (resume func(), ok bool) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	var taken []*conn
	resume = func() {
		for _, c := range taken {
			r.idle <- c
		}
	}
	for range cap(r.idle) {
		select {
		case c := <-r.idle:
			taken = append(taken, c)
		case <-timeout.C:
			resume()
			return nil, false
		}
	}
	return resume, true
}
