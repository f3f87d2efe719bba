// Package store is the port to the database: what services may read and write, independent of the
// engine.
//
// Every engine keeps these promises, and the contract suite in storetest tests them:
//
//   - View sees one consistent snapshot. Update is atomic: when it returns nil, everything its
//     function wrote is durable (it survives a power cut); when it returns an error, nothing was
//     written, unless the error is ErrOutcomeUnknown.
//   - Update never runs its function twice, and runs it to the end even if the caller's context is
//     cancelled meanwhile.
//   - Every method names the organisation it works for, and never returns a row of another. The few
//     that work over all organisations say so.
//   - What does not exist is firemode.CodeNotFound; a broken uniqueness is firemode.CodeConflict,
//     decided by the constraint and not by looking first; a stale version is firemode.CodeChanged.
//   - Times are stored to the microsecond, in UTC.
//
// A transaction offers its methods as ports, small interfaces for one noun and for reading or
// writing: take one with As. The package does not check roles or the meaning of values: services
// do.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"firemode"
)

// ErrOutcomeUnknown is in the chain of an error from Update if the engine could not tell whether
// the transaction was committed.
var ErrOutcomeUnknown = errors.New("outcome of the commit is unknown")

// OutcomeUnknown returns the error of an Update that may have been committed or not, because of
// cause. ErrOutcomeUnknown is in its chain, and its code is CodeUnavailable.
func OutcomeUnknown(cause error) error {
	e := firemode.Unavailable(time.Second,
		"the change may or may not have been saved; retry with the same Idempotency-Key")
	e.Err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, cause)
	return e
}

// Store runs transactions: what a service needs of a database.
type Store interface {
	// View runs fn on a consistent snapshot, and returns its error.
	View(ctx context.Context, fn func(ReadTx) error) error
	// Update runs fn in a transaction and commits it. Engines may carry several concurrent Updates
	// in one commit; an error of one fn undoes that fn's writes alone.
	Update(ctx context.Context, fn func(Tx) error) error
}

// Watcher reports changes, so that nodes can renew what they keep in memory.
type Watcher interface {
	// Watch calls changed with the topic of every Update of this store that is committed and, where
	// nodes share a database, of every Update of any node. It first calls changed with every topic
	// once it is watching, since anything may have happened before. What has changed can be read
	// when changed is called. changed must be quick; several goroutines may call it at once.
	//
	// Watch returns nil when ctx ends, which must be before Close, and an error when it has lost
	// the database. Changes between two calls of Watch are covered by the topics that the second
	// one begins with.
	Watch(ctx context.Context, changed func(Topic)) error
}

// Database is what a node opens: a Store with its schema, its metrics and its end.
type Database interface {
	Store
	Watcher
	// Migrate brings the schema to the newest version this binary knows. It is safe to run on
	// several nodes at once.
	Migrate(ctx context.Context) error
	// Migrations lists every migration this binary knows, in order, and which are applied.
	Migrations(ctx context.Context) ([]Migration, error)
	// CheckSchema refuses a schema that is older (run migrate up) or newer than this binary knows,
	// with a SchemaError.
	CheckSchema(ctx context.Context) error
	// Ping makes a round trip to the database.
	Ping(ctx context.Context) error
	// Stats returns how busy the database is. It sends nothing to it, and may be called at any time
	// until Close.
	Stats() Stats
	// Backlog counts, over all organisations, what is open in sessions that are not completed, of
	// buildings that are not archived. It is for metrics: its result belongs to no organisation.
	// Its cost follows the sessions that have something open.
	Backlog(ctx context.Context) (Backlog, error)
	// Close waits for the transactions that run, then disconnects.
	Close() error
}

// Migration is one numbered change of the schema.
type Migration struct {
	Version   int64
	Name      string
	Applied   bool
	AppliedAt time.Time // zero unless applied
}

// ReadTx is the transaction of a View. Take its reading ports with As.
type ReadTx interface {
	// Snapshot marks the transactions of an engine.
	Snapshot()
}

// Tx is the transaction of an Update. Take its reading and writing ports with As. Once a writing
// method has failed, the transaction can only be undone: Update then returns that failure even if
// its function does not.
type Tx interface {
	ReadTx
	// Now is the time of the transaction, in UTC to the microsecond, the same at every call.
	Now() time.Time
	// AfterCommit registers f to be run once the transaction is durable, in order of registration,
	// and never if it is undone. f must be quick: it is for metrics and wake-ups. A crash may come
	// first, so nothing that must happen may depend on it.
	AfterCommit(f func())
}

// Page asks for a part of a list. No write changes the order of a list, so that a walk over it,
// page by page, returns every row that existed when it began exactly once.
type Page struct {
	After string // the Key of the last row of the previous page, "" for the first page
	Limit int    // at least 1
}

// Keyed is a row of a list with the key to put into Page.After.
type Keyed[T any] struct {
	Key string
	Row T
}

// ErrStop is what the function of an Each method returns to end the walk early. The method returns
// it.
var ErrStop = errors.New("found")
