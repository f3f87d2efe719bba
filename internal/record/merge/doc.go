// Package merge turns submissions into the record of a session: its log of entries, the operations
// and the state of its items that follow from the log, and the receipt of each submission.
//
// # The promise
//
// A receipt is returned only after the commit. It means, per change:
//
//   - applied or superseded: the change is in the log and in the history, and survives a power cut.
//   - duplicate: an earlier batch with the same content is in the log. This submission changed
//     nothing.
//   - rejected: the change is in the log with the reason, and has no effect on the document.
//
// A receipt with the status late means that the session was completed: the batch is in the log, and
// becomes part of the document when the session is reopened. The batch of a copied device is kept
// in quarantine, and its error names the client id to continue under. A submission that fails with
// any other error has left nothing behind. docs/acknowledgement.md states the promise for clients.
//
// # The phases
//
// groupcommit collects submissions that wait into a group. A group is one transaction. In it, for
// each session:
//
//  1. Lock. LockSessions keeps other writers from the session and returns its head.
//  2. Replay. A submission whose Idempotency-Key has a stored response gets that response, and is
//     done.
//  3. Read. A few set-based queries read what the other submissions can touch: their actors, the
//     batches beside theirs in number, what was delivered to them, and what is live at, above and
//     below their paths.
//  4. Apply. The submissions are merged one after the other in memory. Each is admitted,
//     acknowledged as a duplicate, or refused; an admitted one becomes a log entry, and its
//     operations join the state. Writes are collected.
//  5. Write. The collected entries, operations and actors are written set-based, then what follows
//     from them: the states of items, the rows of features (Consequences), and last the head with
//     its signed checkpoint.
//  6. Respond. The receipts are stored under their keys, with the checkpoint of the end of the
//     transaction.
//
// The cost follows the submissions and what is live around their paths, not the size of the
// session. For a completed session phase 4 only appends to the log. ChangeStatus appends the entry
// of a new status and runs phase 5; reopening also applies the late batches. Rebuild runs phases 3
// to 5 for entries of a stored log.
//
// # The invariants
//
//   - Everything follows from the log. Operations, item states, heads and the rows of features can
//     be dropped and recomputed from it; Rebuild does so for verification, with the code that a
//     submission uses.
//   - The log of a session has numbers without gaps, and each entry carries the hash of the one
//     before.
//   - A batch supersedes only what its writer had been shown: its context is cut to what was
//     delivered to the writer.
//   - Nothing of a submission that fails stays in memory: it is checked before the first change of
//     the state.
//   - What a query of phase 4 must see is flushed to the transaction first; see writes.flush.
//   - A session is derived by its format (see internal/record/assess) for its whole life. A format
//     that this binary does not know is refused before anything is written.
//
// An item's basis is the set of paths that its state and its findings depend on. A change at a path
// affects an item if the path is at, above or below one of its basis. Only then is the item
// assessed again.
//
// # An example
//
// The log ends at entry 7. In one group, ann's tablet posts its batch 3, set /items/FE-1/outcome to
// "pass", and bob's phone posts its batch 1, set /items/FE-1/outcome to "fail". Neither has been
// shown the other's reading.
//
//   - Ann's batch becomes entry 8. Nothing is live at the path, so her value is live. Her receipt:
//     applied.
//   - Bob's batch becomes entry 9. His context does not contain entry 8, so both values stay live
//     and contradict each other: a conflict of the kind "value" opens. His receipt: applied, with
//     the conflict in Conflicts.
//   - The item has an open conflict: its state becomes disputed. Consequences run once, for both
//     batches together.
//   - Head: entry 9, one conflict more. Both receipts carry the checkpoint over entries 1 to 9.
//
// Had bob's phone posted with a clock that names ann's batch 3, and had the server delivered it to
// him, then his value would supersede hers: no conflict, and her operation is in the history only.
//
// # What it does not do
//
// It does not decide who may submit (internal/identity) or whether a session may be completed
// (internal/visits). It only hides sessions that the caller may not see: for them the error is
// CodeNotFound.
package merge
