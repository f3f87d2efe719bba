package store

import "fmt"

// CheckVersion compares the version of a database's schema with the newest that this binary knows, in words for an operator.
func CheckVersion(have, known int64) error {
	switch {
	case have < known:
		return fmt.Errorf("the database is at schema version %d and this binary needs %d: run `firemode migrate up`", have, known)
	case have > known:
		return fmt.Errorf("the database is at schema version %d and this binary knows only %d: run a newer binary", have, known)
	}
	return nil
}
