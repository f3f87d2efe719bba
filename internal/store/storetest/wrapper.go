package storetest

import "firemode/internal/store"

// Wrapper is embedded by a transaction of a test that replaces some of its ports: the wrapper
// implements those, and store.As finds the others in Tx.
type Wrapper struct{ store.Tx }

// Unwrap returns the transaction that has the other ports.
func (w Wrapper) Unwrap() store.ReadTx { return w.Tx }

// ReadWrapper is Wrapper for a View.
type ReadWrapper struct{ store.ReadTx }

// Unwrap returns the transaction that has the other ports.
func (w ReadWrapper) Unwrap() store.ReadTx { return w.ReadTx }
