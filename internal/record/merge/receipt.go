package merge

import (
	"fmt"
	"slices"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// Receipt is the response to a submission. It is stored as JSON under its Go field names.
type Receipt struct {
	Session     firemode.SessionID
	Status      string // "merged" or "late"
	Applied     int    // new changes, including superseded ones
	Duplicates  int    // changes that were in the log already
	Results     []ChangeResult
	Clock       crdt.Clock
	Missing     crdt.Ranges
	Flags       []string
	Conflicts   []ledger.Conflict
	Checkpoint  string // signed note over the log, this batch included
	ProcessedAt time.Time
}

// Statuses of a receipt.
const (
	StatusMerged = "merged"
	StatusLate   = "late"
)

// ChangeResult is the outcome of one change.
type ChangeResult struct {
	Index    int
	Status   string // "applied", "duplicate", "superseded" or "rejected"
	Reason   string
	Conflict *ledger.Conflict // beside a rejected resolve: the conflict as it is now
}

// Statuses of a change.
const (
	changeApplied    = "applied"
	changeDuplicate  = "duplicate"
	changeSuperseded = "superseded"
	changeRejected   = "rejected"
)

// Flags of a receipt.
const (
	flagClamped = "clock_clamped" // the posted clock claimed what had not been delivered
	flagTrimmed = "clock_trimmed" // the posted clock had too many entries
)

// maxShownSiblings is the maximum number of values that a receipt lists of a conflict.
const maxShownSiblings = 20

// beginReceipt sets what every receipt has, and returns the posted clock cut to what was delivered
// to the actor.
func (m *merging) beginReceipt(j *job, actor *ledger.Actor) (clamped crdt.Clock) {
	clamped = crdt.Clock{}
	r := Receipt{
		Session: m.session.ID, Status: StatusMerged, Clock: crdt.Clock{}, Missing: actor.Held.Missing(),
		ProcessedAt: m.tx.Now(),
	}
	if j.number > 0 {
		var cut bool
		delivered := func(id crdt.ActorID) int64 { return m.known.delivered(j.actor, id) }
		clamped, cut = crdt.Clamp(j.in.Meta.Clock, j.actor, delivered)
		for id, n := range clamped {
			r.Clock[id] = n
		}
		r.Clock[j.actor] = j.number
		if cut {
			r.Flags = append(r.Flags, flagClamped)
		}
		if j.in.Meta.Trimmed {
			r.Flags = append(r.Flags, flagTrimmed)
		}
	}
	j.receipt = r
	return clamped
}

// acknowledge writes the receipt of a batch that is in the log already. Nothing changes.
func (m *merging) acknowledge(j *job, actor *ledger.Actor, stored *ledger.Entry) {
	m.beginReceipt(j, actor)
	if stored.MergedSeq == 0 {
		j.receipt.Status = StatusLate
	}
	for i, outcome := range stored.Outcomes {
		result := ChangeResult{Index: i, Status: changeDuplicate}
		if outcome.Status == changeRejected {
			result.Status, result.Reason = changeRejected, outcome.Reason
		} else {
			j.receipt.Duplicates++
		}
		j.receipt.Results = append(j.receipt.Results, result)
	}
	m.showConflicts(j)
}

// addResults adds the outcome of each change of a new entry to the receipt.
func (j *job) addResults(e ledger.Entry, actor *ledger.Actor, problems []problem) {
	for i, o := range e.Outcomes {
		if o.Status != changeRejected {
			j.receipt.Applied++
		}
		result := ChangeResult{Index: i, Status: o.Status, Reason: o.Reason, Conflict: problems[i].conflict}
		j.receipt.Results = append(j.receipt.Results, result)
	}
	j.receipt.Missing = actor.Held.Missing()
}

// showConflicts adds the conflicts that are open on the posted paths and above them to the receipt.
func (m *merging) showConflicts(j *job) {
	var paths []crdt.Pointer
	seen := map[crdt.Pointer]bool{}
	for _, p := range changedPaths(j.in.Changes) {
		for _, q := range append(p.Ancestors(), p) {
			if !seen[q] {
				seen[q] = true
				paths = append(paths, q)
			}
		}
	}
	slices.Sort(paths)
	for _, p := range paths {
		if c, open := m.state.Conflict(p, m.head.Key); open {
			j.receipt.Conflicts = append(j.receipt.Conflicts, ledger.DescribeConflict(c, maxShownSiblings))
		}
	}
}

// refuseBatch returns the error of an atomic batch with at least one problem.
func refuseBatch(problems []problem) error {
	var details []firemode.Detail
	for i, p := range problems {
		if p.reason != "" {
			details = append(details, firemode.Detail{Field: fmt.Sprintf("changes[%d]", i), Reason: p.reason})
		}
	}
	return firemode.Invalid("the batch is atomic and some of its changes cannot be applied; nothing was", details...)
}

// reportOutcomes reports the outcomes of all changes to the meter after the commit. Jobs that
// repeat a stored response changed nothing and are not among m.done.
func (m *merging) reportOutcomes() {
	counts := map[string]int{}
	for _, j := range m.done {
		for _, r := range j.receipt.Results {
			counts[outcomeLabel(j.receipt.Status, r.Status)]++
		}
	}
	if len(counts) == 0 {
		return
	}
	m.tx.AfterCommit(func() {
		for status, n := range counts {
			m.svc.Meter.ChangesSettled(status, n)
		}
	})
}

// outcomeLabel returns the status under which a change is counted. A change that was kept for later
// counts as late.
func outcomeLabel(receipt, change string) string {
	if receipt == StatusLate && change == changeApplied {
		return StatusLate
	}
	return change
}
