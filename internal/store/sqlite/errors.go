package sqlite

import (
	"context"
	"errors"
	"time"

	sqlite "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"firemode"
	"firemode/internal/store/row"
)

// translate turns an error of the driver into a firemode.Error by its code. Any other error is
// returned unchanged, which makes it CodeInternal.
func translate(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	full := code(err)
	if full == codes.SQLITE_CONSTRAINT_FOREIGNKEY {
		e := firemode.NotFound("the resource that this belongs to does not exist")
		e.Err = err
		return e
	}
	switch full & 0xff {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_FULL, codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN,
		codes.SQLITE_READONLY:
		e := firemode.Unavailable(time.Second, "the database is unavailable at the moment; retry")
		e.Err = err
		return e
	}
	return err
}

// conflict is translate for a statement that can break a uniqueness.
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

// code returns the extended result code of SQLite, 0 for any other error.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// undone is the error of an Update whose group was rolled back because of another Update.
func undone(err error) error {
	e := firemode.Unavailable(time.Second, "the database is unavailable at the moment; retry")
	e.Err = err
	return e
}
