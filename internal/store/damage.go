package store

// Damage is the error of a row that cannot be read or, to an ExactReader, that is not as an engine
// writes it.
type Damage struct {
	Table string
	Err   error
}

func (d *Damage) Error() string { return "table " + d.Table + ": " + d.Err.Error() }

func (d *Damage) Unwrap() error { return d.Err }

// ExactReader reads rows as verification must: byte for byte.
type ExactReader interface {
	// Exactly returns the same transaction, whose reading ports accept a row only as an engine
	// writes it. JSON with the same value and another encoding is Damage, and so is a derived
	// column that does not follow from its sources. Each nested value that is read is also encoded,
	// which costs time.
	Exactly() ReadTx
}
