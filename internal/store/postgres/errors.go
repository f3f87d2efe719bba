package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

// SQLSTATEs that are translated; see appendix A of the PostgreSQL manual.
const (
	statementCompletionUnknown = "40003"
	readOnlyTransaction        = "25006" // of a node that is no longer the primary
	characterNotInRepertoire   = "22021"
	foreignKeyViolation        = "23503"
	uniqueViolation            = "23505"
	programLimitExceeded       = "54000" // an index entry that is too long
	lockNotAvailable           = "55P03"

	classConnectionException   = "08"
	classIntegrityViolation    = "23"
	classTransactionRollback   = "40" // deadlocks
	classInsufficientResources = "53"
	classOperatorIntervention  = "57"
	classSystemError           = "58"
)

// translate turns an error of the driver into a firemode.Error by its code. Any other error is
// returned unchanged, which makes it CodeInternal.
func translate(err error) error {
	var e *firemode.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.As(err, &e):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		e = firemode.Unavailable(time.Second, "the database took too long; retry")
	case connectionLost(err):
		e = firemode.Unavailable(time.Second, "the database cannot be reached now")
	default:
		if e = byCode(code(err)); e == nil {
			return err
		}
	}
	e.Err = err
	return e
}

func byCode(code string) *firemode.Error {
	switch code {
	case "":
		return nil
	case foreignKeyViolation:
		return firemode.NotFound("the resource that this belongs to does not exist")
	case characterNotInRepertoire:
		return firemode.Invalid("text must be UTF-8 without the character NUL")
	case programLimitExceeded:
		return firemode.Invalid("a name that must be unique is too long")
	case readOnlyTransaction, lockNotAvailable:
		return firemode.Unavailable(time.Second, "the database is unavailable at the moment; retry")
	}
	switch code[:2] {
	case classConnectionException, classTransactionRollback, classInsufficientResources, classOperatorIntervention,
		classSystemError:
		return firemode.Unavailable(time.Second, "the database is unavailable at the moment; retry")
	}
	return nil
}

// conflict is translate for a statement that can break a uniqueness.
func conflict(err error, taken row.Taken) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != uniqueViolation {
		return translate(err)
	}
	message := taken.Unique
	if strings.HasSuffix(pg.ConstraintName, "_pkey") {
		message = taken.Primary
	}
	e := firemode.Conflict("%s", message)
	e.Err = err
	return e
}

// commitFailed returns the error of an Update whose COMMIT failed. Only if the server reports a
// broken constraint or a deadlock, it is certain that nothing was written; a lost connection may
// have been lost after the commit.
func commitFailed(err error) error {
	if c := code(err); c != statementCompletionUnknown &&
		(strings.HasPrefix(c, classIntegrityViolation) || strings.HasPrefix(c, classTransactionRollback)) {
		return translate(err)
	}
	return store.OutcomeUnknown(err)
}

// code returns the SQLSTATE, "" for any other error.
func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err,
		io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, puddle.ErrClosedPool) || pgconn.SafeToRetry(err)
}
