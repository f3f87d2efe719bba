package store

// ResultReader reads the log of a session and what follows from it.
type ResultReader interface{}

// ResultWriter writes the log of a session and what follows from it.
type ResultWriter interface{}
