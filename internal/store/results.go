package store

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
)

// Kinds of log entries.
const (
	EntryChanges = "changes" // a batch
	EntryStatus  = "status"  // the session was completed or reopened, or its gaps were accepted
)

// Batch is one entry of a session's log. The log is the record: operations, actors, items and defects follow from it.
type Batch struct {
	Seq         int64
	Kind        string
	Actor       crdt.ActorID // "" in a status entry
	Number      int64        // of the batch among its actor's; 0 in a status entry
	ID, PrevID  string       // batch_id and prev_batch_id, "" when the client gave none
	Content     []byte       // crdt.Content of the changes
	Key         string       // the Idempotency-Key of a client that does not count, "" otherwise
	User        firemode.UserID
	SubmittedBy firemode.UserID // who handed in an exported batch, "" for User
	Client      string
	ClientType  string
	CapturedAt  time.Time // zero when not given
	SentAt      time.Time // zero when not given
	ReceivedAt  time.Time
	Context     crdt.Clock // the clamped foreign entries
	Changes     []byte     // a JSON array of canonical changes; the particulars of a status entry
	Outcomes    []Outcome  // of each change
	Flags       []string
	Prev, Hash  []byte
	MergedSeq   int64 // the number at which it became part of the document; 0 while it is late
	RunSeq      int64 // the number at which it became part of its actor's run; 0 before
}

// Outcome is what became of a change.
type Outcome struct {
	Status string // "applied", "superseded" or "rejected"
	Reason string // of a rejection
	Time   int64  // effective time in microseconds, see crdt.Op
	Flags  []string
}

// Actor is the writer of batches in one session.
type Actor struct {
	ID         crdt.ActorID
	Client     string // the client_id it goes by, "" for the one of a user without
	ClientType string
	User       firemode.UserID // whom it is bound to
	Held       crdt.Ranges     // the numbers that have arrived
	Merged     crdt.Ranges     // those that are part of the document: without late ones
	RunSeq     int64           // the number at which Merged.Run last grew
	Delivered  int64           // the document as of this number was delivered to it; written by Deliver alone
	Parent     crdt.ActorID    // the actor that this fresh one forked from, "" for none
	LastSync   time.Time       // receipt of its last batch, zero before
}

// Op is a stored operation.
type Op struct {
	crdt.Op
	Merged  int64 // the number at which it became part of the document
	Covered int64 // the number from which on it is not live, 0 while it is
	Noted   int64 // the number at which a conflict at or above it last changed though it did not, 0 for never
}

// BatchRef names a batch by actor and number.
type BatchRef struct {
	Actor  crdt.ActorID
	Number int64
}

// BatchKey names a batch of a client that does not count by the Idempotency-Key it was posted under.
type BatchKey struct {
	Actor crdt.ActorID
	Key   string
}

// RunAsk asks for the run of an actor as of a number.
type RunAsk struct {
	Actor crdt.ActorID
	Seq   int64
}

// ResultReader reads the log of a session and what follows from it. Everything is of one session.
type ResultReader interface {
	Head(ctx context.Context, s SessionRef) (firemode.Head, error)
	// Actors returns those of ids that exist, or all when ids is nil, by id.
	Actors(ctx context.Context, s SessionRef, ids []crdt.ActorID) ([]Actor, error)
	// CountActors returns how many actors are bound to user.
	CountActors(ctx context.Context, s SessionRef, user firemode.UserID) (int, error)
	// Batches returns those that exist, in any order, without Changes.
	Batches(ctx context.Context, s SessionRef, refs []BatchRef) ([]Batch, error)
	// BatchesByKey returns, of clients which do not count, the batches that exist of (Actor, Key), in any order, without Changes.
	BatchesByKey(ctx context.Context, s SessionRef, keys []BatchKey) ([]Batch, error)
	// BatchByID returns the last batch of the actor with that batch_id.
	BatchByID(ctx context.Context, s SessionRef, actor crdt.ActorID, id string) (Batch, error)
	// EachBatch calls fn for every log entry from number from on, in order, with Changes, and stops at its first error.
	EachBatch(ctx context.Context, s SessionRef, from int64, fn func(Batch) error) error
	// EntryHash returns the hash of log entry seq.
	EntryHash(ctx context.Context, s SessionRef, seq int64) ([]byte, error)
	// EntryHashes returns the hashes of log entries 1 to size, in order.
	EntryHashes(ctx context.Context, s SessionRef, size int64) ([][]byte, error)
	// EachLateBatch calls fn for every log entry that is not merged yet, in order, with Changes, and stops at its first error.
	EachLateBatch(ctx context.Context, s SessionRef, fn func(Batch) error) error
	// Runs answers asks in order: the length of the actor's run as of the number.
	Runs(ctx context.Context, s SessionRef, asks []RunAsk) ([]int64, error)
	// ClockAt returns the run of every actor as of number seq, those that are 0 left out.
	ClockAt(ctx context.Context, s SessionRef, seq int64) (crdt.Clock, error)
	// SeqAt returns the number of the last log entry that was received at or before t, merged by then or not, 0 for none.
	SeqAt(ctx context.Context, s SessionRef, t time.Time) (int64, error)

	// LiveOps returns what is live at the paths in at, and at or below those in below, each once, in any order.
	LiveOps(ctx context.Context, s SessionRef, at, below []crdt.Pointer) ([]crdt.Op, error)
	// ContestedOps returns what is live, contested and strictly below one of the paths, each once, in any order.
	ContestedOps(ctx context.Context, s SessionRef, below []crdt.Pointer) ([]crdt.Op, error)
	// OpsByDot returns every operation with one of the dots, live or not, in any order.
	OpsByDot(ctx context.Context, s SessionRef, dots []crdt.Dot) ([]Op, error)
	// Inhabited returns those of paths below which something is live, in any order.
	Inhabited(ctx context.Context, s SessionRef, paths []crdt.Pointer) ([]crdt.Pointer, error)
	// EachLiveOp calls fn for everything at top and below, "" for everywhere, that was live at number seq, 0 for now, in the order of
	// a walk down the tree. fn may ask the transaction for more.
	EachLiveOp(ctx context.Context, s SessionRef, seq int64, top crdt.Pointer, fn func(crdt.Op) error) error
	// EachOp calls fn for every operation there is, in the order of a walk down the tree, then of the log.
	EachOp(ctx context.Context, s SessionRef, fn func(Op) error) error
	// EachQuarantined calls fn for every batch in quarantine.
	EachQuarantined(ctx context.Context, s SessionRef, fn func(Quarantined) error) error
	// ChangedPaths returns the paths at which something became live, ceased to be or was noted after number since, up to a number
	// until ≤ head that is chosen so that there are not many more than limit.
	ChangedPaths(ctx context.Context, s SessionRef, since, head int64, limit int) (paths []crdt.Pointer, until int64, err error)
	// History lists the merged operations at a path and below it, newest first.
	History(ctx context.Context, s SessionRef, path crdt.Pointer, p Page) ([]Keyed[Op], error)

	// OwnSweeps returns, for each of paths at which actor has a set, remove or append in a batch from..to, the last of their dots.
	OwnSweeps(ctx context.Context, s SessionRef, actor crdt.ActorID, span crdt.Range, paths []crdt.Pointer) (map[crdt.Pointer]crdt.Dot, error)
	// OwnNames returns the resolves and corrects of actor in batches after number.
	OwnNames(ctx context.Context, s SessionRef, actor crdt.ActorID, number int64) ([]crdt.Op, error)
	// OwnLive returns what is live of actor's batches from..to.
	OwnLive(ctx context.Context, s SessionRef, actor crdt.ActorID, span crdt.Range) ([]crdt.Op, error)

	// DefectsOfItems returns the defects of items of the session, in any order.
	DefectsOfItems(ctx context.Context, s SessionRef, items []firemode.ItemID) ([]firemode.Defect, error)
}

// SessionRef names a session and its organisation.
type SessionRef struct {
	Org     firemode.OrgID
	Session firemode.SessionID
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

// RunChange says that the batches from..to of actor became part of its run at number Seq.
type RunChange struct {
	Actor    crdt.ActorID
	From, To int64
	Seq      int64
}

// Quarantined is the batch of a forked client: kept, and not applied.
type Quarantined struct {
	Actor      crdt.ActorID
	Number     int64
	Content    []byte
	ID, PrevID string
	Fresh      crdt.ActorID // the id it must be sent again under
	User       firemode.UserID
	ReceivedAt time.Time
	Changes    []byte
	Reason     string
	Hash       []byte // over all of the above, see Seal
}

// ResultWriter writes the log of a session and what follows from it. All but Deliver and BindActor need LockSessions first.
type ResultWriter interface {
	// InsertBatches appends entries to the log; CodeConflict if a (actor, number) is taken.
	InsertBatches(ctx context.Context, s SessionRef, batches []Batch) error
	// MarkMerged sets MergedSeq of log entries.
	MarkMerged(ctx context.Context, s SessionRef, seqs []int64, merged int64) error
	SetRuns(ctx context.Context, s SessionRef, runs []RunChange) error
	// InsertOps adds operations, covered ones too.
	InsertOps(ctx context.Context, s SessionRef, ops []Op) error
	UpdateOps(ctx context.Context, s SessionRef, changes []OpChange) error
	// SaveActors adds actors, or writes ClientType, Held, Merged, RunSeq and LastSync of those that exist. Delivered is
	// written only when the actor is added.
	SaveActors(ctx context.Context, s SessionRef, actors []Actor) error
	// BindActor adds an actor unless it exists, and returns it as it then is. Of one that exists it writes Parent alone, and that only if it
	// has none: after a restore from backup a forked client may come back before the server has found out again that it is one.
	BindActor(ctx context.Context, s SessionRef, a Actor) (Actor, error)
	// Deliver raises what was delivered to an actor to seq, never lowers it.
	Deliver(ctx context.Context, s SessionRef, actor crdt.ActorID, seq int64) error
	// InsertQuarantined keeps the batch of a forked client; the same one again changes nothing.
	InsertQuarantined(ctx context.Context, s SessionRef, q Quarantined) error
}
