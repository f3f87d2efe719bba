// Package crdt merges what several writers record about one session, in any order, any number of
// times, without ever losing a reading. It is pure: it knows no fire safety, no clock, no I/O.
// State is a function of the set of stored operations:
//
//	covers(b, a), a ≠ b, holds when
//	  b is set or remove,       path(a) = path(b) or below it,   a ∈ context(b)
//	  b is resolve or correct,  path(a) = path(b) or below it,   dot(a) is named by b
//	live(S) := { a ∈ S : no b ∈ S covers a }
//
// The context of an operation, what its writer had seen, has two parts: the writer's own earlier
// operations, as far back as the stored chain of its batches is unbroken, and the foreign entries
// of the posted clock after clamping to what was delivered to that writer (Clamp). Clamping is what
// makes a forged or mistaken clock harmless: it can add a conflict, it can never hide a reading.
//
// Since a clamped entry only ever names batches that are held, an arriving operation cannot be in a
// foreign context that is already stored. Two things alone can have covered it before it came: its
// own writer's later batches, when it closes a hole, and its own writer's corrections that named it
// in advance. See docs/adr/0008-no-context-per-path.md.
package crdt
