package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	sqlite "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// translate turns a driver's error into ours by its code; any other is returned as it is, which
// makes it CodeInternal.
func translate(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	full := code(err)
	if full == codes.SQLITE_CONSTRAINT_FOREIGNKEY {
		e := firemode.NotFound("there is no such thing for this to belong to")
		e.Err = err
		return e
	}
	switch full & 0xff {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_FULL, codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN,
		codes.SQLITE_READONLY:
		e := firemode.Unavailable(time.Second, "the database cannot do this now")
		e.Err = err
		return e
	}
	return err
}

// conflict is translate for a statement that can find something taken.
func conflict(err error, taken row.Taken) error {
	var e *firemode.Error
	switch code(err) {
	case codes.SQLITE_CONSTRAINT_PRIMARYKEY:
		e = firemode.Conflict("%s", taken.Primary)
	case codes.SQLITE_CONSTRAINT_UNIQUE:
		e = firemode.Conflict("%s", taken.Unique)
	default:
		return translate(err)
	}
	e.Err = err
	return e
}

// code returns SQLite's extended result code, 0 for an error of something else.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// undone is the error of an Update that another of its group took with it.
func undone(err error) error {
	e := firemode.Unavailable(time.Second, "the database cannot do this now")
	e.Err = err
	return e
}

// unknown is the error of an Update whose COMMIT failed: the log may have reached the disk or not.
func unknown(err error) error {
	e := firemode.Unavailable(time.Second, "the change may or may not have been saved; try again with the same "+
		"Idempotency-Key")
	e.Err = fmt.Errorf("%w: %w", store.ErrOutcomeUnknown, err)
	return e
}

// lost is the error of an Update in whose group the writing goroutine died. SQLite rolls back what
// it had open, unless that was the commit.
func lost() error {
	e := firemode.Unavailable(time.Second, "the change may or may not have been saved; try again with the same "+
		"Idempotency-Key")
	e.Err = fmt.Errorf("%w: the writer's goroutine died", store.ErrOutcomeUnknown)
	return e
}
