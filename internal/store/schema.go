package store

import "fmt"

// SchemaError says that the schema of a database is not the one that this binary needs. Its text is
// for operators.
type SchemaError struct {
	Have, Known int64 // the version of the schema, and the newest that this binary knows
}

func (e *SchemaError) Error() string {
	if e.Newer() {
		return fmt.Sprintf("the database is at schema version %d and this binary knows only %d: run a newer binary",
			e.Have, e.Known)
	}
	return fmt.Sprintf("the database is at schema version %d and this binary needs %d: run `firemode migrate up`",
		e.Have, e.Known)
}

// Newer reports whether the schema is that of a newer binary.
func (e *SchemaError) Newer() bool { return e.Have > e.Known }

// CheckVersion returns a SchemaError unless have, the version of the schema of a database, is
// known, the newest of this binary.
func CheckVersion(have, known int64) error {
	if have == known {
		return nil
	}
	return &SchemaError{have, known}
}
