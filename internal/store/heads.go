package store

import (
	"context"
	"time"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// PrefixAsk asks for the contiguous prefix of an actor's batches as of log entry Seq.
type PrefixAsk struct {
	Actor crdt.ActorID
	Seq   int64
}

// HeadReader reads where the log of a session ends, and which batches of its actors were part of
// the document as of a log entry.
type HeadReader interface {
	// Head returns the head of the session; CodeNotFound if there is no such session.
	Head(ctx context.Context, s ledger.SessionRef) (ledger.Head, error)
	// Prefixes returns, for each of asks in order, the length of the actor's contiguous prefix; 0
	// for an actor without one.
	Prefixes(ctx context.Context, s ledger.SessionRef, asks []PrefixAsk) ([]int64, error)
	// ClockAt returns the length of the contiguous prefix of every actor as of log entry seq,
	// without those that are 0.
	ClockAt(ctx context.Context, s ledger.SessionRef, seq int64) (crdt.Clock, error)
	// SeqAt returns the number of the last log entry that was received at or before t, whether or
	// not it was merged by then; 0 for none.
	SeqAt(ctx context.Context, s ledger.SessionRef, t time.Time) (int64, error)
}
