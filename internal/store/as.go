package store

import "fmt"

// As returns the port P of a transaction. It panics if the engine does not offer P there: a writing port in a
// View, or a port that an engine has forgotten. Both are mistakes of the program and not of its input; a test
// of each engine walks Ports, so that the second cannot reach a user.
func As[P any](tx ReadTx) P {
	for at := tx; at != nil; {
		if p, ok := at.(P); ok {
			return p
		}
		wrapper, ok := at.(interface{ Unwrap() ReadTx })
		if !ok {
			break
		}
		at = wrapper.Unwrap()
	}
	var want *P
	panic(fmt.Sprintf("store: %T does not offer %T", tx, want))
}
