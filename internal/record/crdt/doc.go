// Package crdt merges what several writers record about one session, in any order and any number of
// times, without losing a reading. It is pure: no I/O, no clock, no fire safety. The state depends
// only on the set of stored operations:
//
//	supersedes(b, a), a ≠ b, holds when
//	  b is set or remove,       path(a) = path(b) or below it,   a ∈ context(b)
//	  b is resolve or correct,  path(a) = path(b) or below it,   dot(a) is named by b
//	live(S) := { a ∈ S : no b ∈ S supersedes a }
//
// The context of an operation, what its writer had seen, has two parts: the writer's own earlier
// operations, as far back as the stored chain of its batches is unbroken, and the foreign entries
// of the posted clock after clamping to what was delivered to that writer (Clamp). Clamping is what
// makes a forged or mistaken clock harmless: it can add a conflict, it can never hide a reading.
//
// A clamped entry names only batches that are stored, so an arriving operation is in no stored
// foreign context. Only two things can have superseded it before it arrived: later batches of its
// own writer, if it closes a gap, and corrections of its own writer that named it in advance. See
// docs/adr/0008-no-context-per-path.md.
package crdt
