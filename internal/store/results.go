package store

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// PrefixAsk asks for the run of an actor as of a number.
type PrefixAsk struct {
	Actor crdt.ActorID
	Seq   int64
}

// HeadReader reads where the log of a session ends, and how far its clients were as of a log entry.
type HeadReader interface {
	Head(ctx context.Context, s ledger.SessionRef) (ledger.Head, error)
	// Prefixes returns, for each of asks in order, the length of the contiguous prefix of the actor as of the number.
	Prefixes(ctx context.Context, s ledger.SessionRef, asks []PrefixAsk) ([]int64, error)
	// ClockAt returns the run of every actor as of number seq, those that are 0 left out.
	ClockAt(ctx context.Context, s ledger.SessionRef, seq int64) (crdt.Clock, error)
	// SeqAt returns the number of the last log entry that was received at or before t, merged by then or not, 0 for none.
	SeqAt(ctx context.Context, s ledger.SessionRef, t time.Time) (int64, error)
}

// ActorReader reads the writers of a session.
type ActorReader interface {
	// Actors returns those of ids that exist, or all when ids is nil, by id.
	Actors(ctx context.Context, s ledger.SessionRef, ids []crdt.ActorID) ([]ledger.Actor, error)
	// CountActors returns how many actors are bound to user.
	CountActors(ctx context.Context, s ledger.SessionRef, user firemode.UserID) (int, error)
}

// EntryReader reads the log of a session.
type EntryReader interface {
	// Entries returns those that exist, in any order, without Changes.
	Entries(ctx context.Context, s ledger.SessionRef, refs []ledger.BatchRef) ([]ledger.Entry, error)
	// EntriesByKey returns, of clients which do not count, the batches that exist of (Actor, Key), in any order, without Changes.
	EntriesByKey(ctx context.Context, s ledger.SessionRef, keys []ledger.BatchKey) ([]ledger.Entry, error)
	// EntryByBatchID returns the last batch of the actor with that batch_id.
	EntryByBatchID(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, id string) (ledger.Entry, error)
	// EachEntry calls fn for every log entry from number from on, in order, with Changes, and stops at its first error.
	EachEntry(ctx context.Context, s ledger.SessionRef, from int64, fn func(ledger.Entry) error) error
	// EntryHash returns the hash of log entry seq.
	EntryHash(ctx context.Context, s ledger.SessionRef, seq int64) ([]byte, error)
	// EntryHashes returns the hashes of log entries 1 to size, in order.
	EntryHashes(ctx context.Context, s ledger.SessionRef, size int64) ([][]byte, error)
	// EachLateEntry calls fn for every log entry that is not merged yet, in order, with Changes, and stops at its first error.
	EachLateEntry(ctx context.Context, s ledger.SessionRef, fn func(ledger.Entry) error) error
	// EachQuarantined calls fn for every batch in quarantine.
	EachQuarantined(ctx context.Context, s ledger.SessionRef, fn func(ledger.Quarantined) error) error
}

// OpReader reads the operations that follow from the log of a session.
type OpReader interface {
	// LiveOps returns what is live at the paths in at, and at or below those in below, each once, in any order.
	LiveOps(ctx context.Context, s ledger.SessionRef, at, below []crdt.Pointer) ([]crdt.Op, error)
	// ContestedOps returns what is live, contested and strictly below one of the paths, each once, in any order.
	ContestedOps(ctx context.Context, s ledger.SessionRef, below []crdt.Pointer) ([]crdt.Op, error)
	// OpsByDot returns every operation with one of the dots, live or not, in any order.
	OpsByDot(ctx context.Context, s ledger.SessionRef, dots []crdt.Dot) ([]ledger.Op, error)
	// Inhabited returns those of paths below which something is live, in any order.
	Inhabited(ctx context.Context, s ledger.SessionRef, paths []crdt.Pointer) ([]crdt.Pointer, error)
	// EachLiveOp calls fn for everything at top and below, "" for everywhere, that was live at number seq, 0 for now, in the order of
	// a walk down the tree. fn may ask the transaction for more.
	EachLiveOp(ctx context.Context, s ledger.SessionRef, seq int64, top crdt.Pointer, fn func(crdt.Op) error) error
	// EachOp calls fn for every operation there is, in the order of a walk down the tree, then of the log.
	EachOp(ctx context.Context, s ledger.SessionRef, fn func(ledger.Op) error) error
	// ChangedPaths returns the paths at which something became live, ceased to be or was noted after number since, up to a number
	// until ≤ head that is chosen so that there are not many more than limit.
	ChangedPaths(ctx context.Context, s ledger.SessionRef, since, head int64, limit int) (paths []crdt.Pointer, until int64, err error)
	// History lists the merged operations at a path and below it, newest first.
	History(ctx context.Context, s ledger.SessionRef, path crdt.Pointer, p Page) ([]Keyed[ledger.Op], error)
}

// OwnOpReader reads what one actor has done in some of its batches, for a batch that arrives after later ones.
type OwnOpReader interface {
	// OwnSweeps returns, for each of paths at which actor has a set, remove or append in a batch from..to, the last of their dots.
	OwnSweeps(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, span crdt.Range, paths []crdt.Pointer) (map[crdt.Pointer]crdt.Dot, error)
	// OwnNames returns the resolves and corrects of actor in batches after number.
	OwnNames(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, number int64) ([]crdt.Op, error)
	// OwnLive returns what is live of actor's batches from..to.
	OwnLive(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, span crdt.Range) ([]crdt.Op, error)
}

// OpChange is what changed about the stored operation at Path of change Index of log entry Seq.
type OpChange struct {
	Path      crdt.Pointer
	Seq       int64
	Index     int
	Covered   int64 // 0 for one that is still live
	Noted     int64 // as of store.Op; 0 leaves it as it is
	Contested bool
}

// PrefixChange says that the batches from..to of actor became part of its run at number Seq.
type PrefixChange struct {
	Actor    crdt.ActorID
	From, To int64
	Seq      int64
}

// EntryWriter appends to the log of a session. Its methods need LockSessions first.
type EntryWriter interface {
	// InsertEntries appends entries to the log; CodeConflict if a (actor, number) is taken.
	InsertEntries(ctx context.Context, s ledger.SessionRef, batches []ledger.Entry) error
	// MarkMerged sets MergedSeq of log entries.
	MarkMerged(ctx context.Context, s ledger.SessionRef, seqs []int64, merged int64) error
	SetPrefixes(ctx context.Context, s ledger.SessionRef, prefixes []PrefixChange) error
	// InsertQuarantined keeps the batch of a forked client; the same one again changes nothing.
	InsertQuarantined(ctx context.Context, s ledger.SessionRef, q ledger.Quarantined) error
}

// OpWriter writes the operations that follow from the log of a session. Its methods need LockSessions first.
type OpWriter interface {
	// InsertOps adds operations, covered ones too.
	InsertOps(ctx context.Context, s ledger.SessionRef, ops []ledger.Op) error
	UpdateOps(ctx context.Context, s ledger.SessionRef, changes []OpChange) error
}

// ActorWriter writes the writers of a session. SaveActors needs LockSessions first.
type ActorWriter interface {
	// SaveActors adds actors, or writes ClientType, Held, Merged, PrefixSeq and LastSync of those that exist. Delivered is
	// written only when the actor is added.
	SaveActors(ctx context.Context, s ledger.SessionRef, actors []ledger.Actor) error
	// BindActor adds an actor unless it exists, and returns it as it then is. Of one that exists it writes Parent alone, and that only if it
	// has none: after a restore from backup a forked client may come back before the server has found out again that it is one.
	BindActor(ctx context.Context, s ledger.SessionRef, a ledger.Actor) (ledger.Actor, error)
	// Deliver raises what was delivered to an actor to seq, never lowers it.
	Deliver(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, seq int64) error
}
