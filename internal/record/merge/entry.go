package merge

import (
	"slices"

	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// flagOnBehalf is the flag of an operation that another user submitted.
const flagOnBehalf = "submitted_on_behalf"

// newEntry returns the log entry of a job. foreign is its context: what its writer had been shown
// of others.
func (m *merging) newEntry(j *job, actor *ledger.Actor, foreign crdt.Clock, problems []problem) ledger.Entry {
	meta := j.in.Meta
	e := ledger.Entry{
		Seq: m.head.Seq + 1, Kind: ledger.EntryChanges,
		Actor: actor.ID, Number: j.number, ID: meta.BatchID, PrevID: meta.PrevBatch, Content: j.content[:],
		User: j.user, Client: meta.Client, ClientType: meta.ClientType,
		CapturedAt: meta.CapturedAt, SentAt: meta.SentAt, ReceivedAt: m.tx.Now(),
		Context: foreign, Changes: ledger.ChangesText(j.in.Changes), Flags: j.receipt.Flags,
	}
	if j.number == 0 {
		e.Number, e.Key = actor.Held.Max()+1, j.in.Key
	}
	if j.p.User != j.user {
		e.SubmittedBy = j.p.User
	}
	e.Outcomes = make([]ledger.Outcome, len(j.in.Changes))
	for i, c := range j.in.Changes {
		e.Outcomes[i] = m.outcome(e, c, problems[i].reason)
	}
	return e
}

// outcome returns the outcome that is stored of a change; the merge may still make it superseded.
// The flags and the time are stored because they depend on the moment and the items of now.
func (m *merging) outcome(e ledger.Entry, c crdt.Change, reason string) ledger.Outcome {
	if reason != "" {
		return ledger.Outcome{Status: changeRejected, Reason: reason}
	}
	captured := c.CapturedAt
	if captured.IsZero() {
		captured = e.CapturedAt
	}
	at, flag := m.derivation.EffectiveTime(captured, e.SentAt, e.ReceivedAt)
	o := ledger.Outcome{Status: changeApplied, Time: at}
	if flag != "" {
		o.Flags = append(o.Flags, flag)
	}
	if e.SubmittedBy != "" {
		o.Flags = append(o.Flags, flagOnBehalf)
	}
	for _, op := range (&crdt.Batch{Actor: e.Actor, Number: e.Number, Changes: []crdt.Change{c}}).Ops(0, crdt.Stamp{}) {
		for _, flag := range m.derivation.Flags(op, m.known.items[assess.ParsePath(op.Path).Item]) {
			if !slices.Contains(o.Flags, flag) {
				o.Flags = append(o.Flags, flag)
			}
		}
	}
	return o
}

// appendEntry seals e as the next entry of the log.
func (m *merging) appendEntry(e *ledger.Entry) {
	*e = e.Seal(m.ref, m.head.Hash)
	m.head.Frontier = ledger.Frontier(m.head.Frontier).Append(m.head.Seq, e.Hash)
	m.head.Seq, m.head.Hash = e.Seq, e.Hash
	m.writes.entries = append(m.writes.entries, *e)
}

// holdBatch records that a batch of the actor has arrived.
func (m *merging) holdBatch(actor *ledger.Actor, number int64) {
	if _, recorded := m.writes.hadGap[actor.ID]; !recorded {
		m.writes.hadGap[actor.ID] = len(actor.Held.Missing()) > 0
	}
	actor.Held = actor.Held.Add(number)
	m.writes.actors[actor.ID] = true
}

// countGaps updates the number of actors with a missing batch.
func (m *merging) countGaps() {
	for id, had := range m.writes.hadGap {
		has := len(m.known.actors[id].Held.Missing()) > 0
		switch {
		case has && !had:
			m.head.Gaps++
		case had && !has:
			m.head.Gaps--
		}
	}
}
