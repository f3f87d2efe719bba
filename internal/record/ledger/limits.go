package ledger

// MaxClock is how many entries of a posted clock are looked at.
const MaxClock = 4096

// maxActors is how many actors one user may have in a session.
const MaxActors = 256
