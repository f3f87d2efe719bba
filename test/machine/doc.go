// Package machine drives a whole server, handler and store, through what phones and operators can
// do to it, in an order that chance decides, and holds it after every step to the invariants of the
// merge, I1 to I12, which are functions by these names. Two things are driven: a state machine that
// does everything to one session, on both engines, and a simulation in which twenty phones work for
// three days over a network that loses, repeats and delays.
//
// What a client may rely on is told by docs/sync.md, and what the merge must be by
// internal/record/crdt/oracle. A failure names the seed that replays it.
package machine
