package store

import (
	"context"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// EntryReader reads the log of a session.
type EntryReader interface {
	// Entries returns the log entries of those batches that are in the log, in any order, without
	// Changes.
	Entries(ctx context.Context, s ledger.SessionRef, refs []ledger.BatchRef) ([]ledger.Entry, error)
	// EntriesByKey returns the log entries that exist of (Actor, Key), in any order, without
	// Changes. Only batches of clients that do not number them have a Key.
	EntriesByKey(ctx context.Context, s ledger.SessionRef, keys []ledger.BatchKey) ([]ledger.Entry, error)
	// EntryByBatchID returns the last log entry of the actor with that batch_id, without Changes;
	// CodeNotFound if there is none.
	EntryByBatchID(ctx context.Context, s ledger.SessionRef, actor crdt.ActorID, id string) (ledger.Entry, error)
	// EachEntry calls fn for every log entry from number from on, in order, with Changes, and stops
	// at its first error. fn may use the transaction.
	EachEntry(ctx context.Context, s ledger.SessionRef, from int64, fn func(ledger.Entry) error) error
	// EachLateEntry is EachEntry for the log entries that are not merged yet.
	EachLateEntry(ctx context.Context, s ledger.SessionRef, fn func(ledger.Entry) error) error
	// EntryHash returns the hash of log entry seq; CodeNotFound if there is none.
	EntryHash(ctx context.Context, s ledger.SessionRef, seq int64) ([]byte, error)
	// EntryHashes returns the hashes of log entries 1 to size, in order.
	EntryHashes(ctx context.Context, s ledger.SessionRef, size int64) ([][]byte, error)
	// EachQuarantined calls fn for every batch in quarantine, and stops at its first error.
	EachQuarantined(ctx context.Context, s ledger.SessionRef, fn func(ledger.Quarantined) error) error
}

// PrefixChange says that the batches From to To of Actor became part of its contiguous prefix at
// log entry Seq.
type PrefixChange struct {
	Actor    crdt.ActorID
	From, To int64
	Seq      int64
}

// EntryWriter appends to the log of a session. Callers hold the lock of LockSessions.
type EntryWriter interface {
	// InsertEntries appends entries to the log; CodeConflict if an (actor, number) is taken.
	InsertEntries(ctx context.Context, s ledger.SessionRef, entries []ledger.Entry) error
	// MarkMerged sets MergedSeq of the log entries with the numbers seqs.
	MarkMerged(ctx context.Context, s ledger.SessionRef, seqs []int64, merged int64) error
	// SetPrefixes records at which log entry batches became part of the contiguous prefix of their
	// actor.
	SetPrefixes(ctx context.Context, s ledger.SessionRef, prefixes []PrefixChange) error
	// InsertQuarantined keeps the batch of a forked client. A duplicate changes nothing.
	InsertQuarantined(ctx context.Context, s ledger.SessionRef, q ledger.Quarantined) error
}
