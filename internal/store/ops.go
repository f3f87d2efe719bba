package store

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// OpReader reads the operations that follow from the log of a session.
type OpReader interface {
	// LiveOps returns the operations that are live at the paths in at, and at or below those in
	// below, each once, in any order.
	LiveOps(ctx context.Context, s ledger.SessionRef, at, below []crdt.Pointer) ([]crdt.Op, error)
	// ContestedOps returns the operations that are live, contested and strictly below one of the
	// paths, each once, in any order.
	ContestedOps(ctx context.Context, s ledger.SessionRef, below []crdt.Pointer) ([]crdt.Op, error)
	// OpsByDot returns every operation with one of the dots, live or not, in any order.
	OpsByDot(ctx context.Context, s ledger.SessionRef, dots []crdt.Dot) ([]ledger.Op, error)
	// Inhabited returns those of paths below which an operation is live, in any order.
	Inhabited(ctx context.Context, s ledger.SessionRef, paths []crdt.Pointer) ([]crdt.Pointer, error)
	// EachLiveOp calls fn for every operation at top and below, "" for all paths, that was live at
	// log entry seq, 0 for now. The order is that of a walk down the tree. It stops at the first
	// error of fn, which may use the transaction.
	EachLiveOp(ctx context.Context, s ledger.SessionRef, seq int64, top crdt.Pointer, fn func(crdt.Op) error) error
	// EachOp calls fn for every operation, in the order of a walk down the tree, then of the log,
	// and stops at its first error.
	EachOp(ctx context.Context, s ledger.SessionRef, fn func(ledger.Op) error) error
	// ChangedPaths returns the paths at which an operation became live, ceased to be live or was
	// noted after log entry since, up to entry until ≤ head. It chooses until so that there are not
	// many more paths than limit.
	ChangedPaths(
		ctx context.Context, s ledger.SessionRef, since, head int64, limit int,
	) (paths []crdt.Pointer, until int64, err error)
	// History lists the merged operations at a path and below it, newest first.
	History(ctx context.Context, s ledger.SessionRef, path crdt.Pointer, p Page) ([]Keyed[ledger.Op], error)
}

// OwnOpReader reads what one actor did in some of its batches, for a batch that arrives after later
// ones of the same actor.
type OwnOpReader interface {
	// OwnSweeps returns, for each of paths at which the actor has a set, remove or append in a
	// batch of span, the last of their dots.
	OwnSweeps(
		ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, span crdt.Range, paths []crdt.Pointer,
	) (map[crdt.Pointer]crdt.Dot, error)
	// OwnNames returns the resolves and corrects of the actor in batches after number.
	OwnNames(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, number int64) ([]crdt.Op, error)
	// OwnLive returns the live operations of the actor's batches of span.
	OwnLive(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, span crdt.Range) ([]crdt.Op, error)
}

// OpChange is a change of the stored operation at Path of change Index of log entry Seq.
type OpChange struct {
	Path          crdt.Pointer
	Seq           int64
	Index         int
	SupersededSeq int64 // as in ledger.Op: 0 for an operation that is still live
	Noted         int64 // as in ledger.Op; 0 leaves it unchanged
	Contested     bool
}

// OpWriter writes the operations that follow from the log of a session. Callers hold the lock of
// LockSessions.
type OpWriter interface {
	// InsertOps adds operations, superseded ones too.
	InsertOps(ctx context.Context, s ledger.SessionRef, ops []ledger.Op) error
	// UpdateOps writes changes of operations that exist.
	UpdateOps(ctx context.Context, s ledger.SessionRef, changes []OpChange) error
}
