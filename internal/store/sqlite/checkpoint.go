package sqlite

import (
	"context"
	"time"
)

const (
	// checkpointEvery is how much writing goes into the write-ahead log between two checkpoints.
	checkpointEvery = 250 * time.Millisecond
	// checkpointWait is how long new Views may wait for those that run to end, so that a checkpoint
	// can be whole.
	checkpointWait = 50 * time.Millisecond
)

// checkpoint moves what the write-ahead log holds into the database file, now and then: all of it,
// or nothing.
//
// SQLite would do so by itself, and also in parts, up to what the oldest View still needs. A part
// is counted as moved when it was written, and synced with the next whole one. If that sync fails
// the kernel forgets what it had not written; the checkpoint after it leaves out what was counted,
// succeeds, and lets the log be overwritten: committed pages are gone. A whole checkpoint counts
// nothing before its sync, so that after a failure the next one writes everything again. Readers in
// other processes can still make one partial; they are commands that end soon.
//
// A checkpoint that fails or cannot be whole loses nothing: the log grows until one succeeds.
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
		rows.Close() //nolint:errcheck // tried again at the next turn
	}
}

// pause waits until no View runs and keeps new ones waiting, until resume is called. ok is false,
// and nothing is kept waiting, if some View goes on for longer than wait.
func (r *readers) pause(wait time.Duration) (resume func(), ok bool) {
	patience := time.NewTimer(wait)
	defer patience.Stop()
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
		case <-patience.C:
			resume()
			return nil, false
		}
	}
	return resume, true
}
