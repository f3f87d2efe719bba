// Package row defines, for each noun, which columns its table has, how a row is written and read,
// and the statements that are the same on every engine. An engine embeds Reader and Writer, and
// adds the statements that it writes natively. The package knows no driver: it runs statements
// through the Engine interface.
//
// A binary column reads back as nil when it was empty.
package row

import (
	"firemode/internal/store"
)

// Scanner is a row of any driver.
type Scanner interface {
	Scan(dest ...any) error
}

// Taken is what to tell a user about each of the two uniquenesses of a table that a statement may
// break.
type Taken struct {
	Primary string // the primary key
	Unique  string // the table's one other unique index
}

// encoder makes JSON columns and remembers the first failure.
type encoder struct{ err error }

func (e *encoder) json(v any) string {
	text, err := store.JSON(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	return text
}

// blob makes empty and nil the same thing, as one of the drivers does.
func blob(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// Strings returns ids as plain strings, which drivers take as an array.
func Strings[T ~string](ids []T) []string {
	plain := make([]string, len(ids))
	for i, id := range ids {
		plain[i] = string(id)
	}
	return plain
}
