package merge

import (
	"fmt"
	"slices"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// apply puts a new batch into the log and, while the session is open, into the document.
func (m *merging) apply(j *job, actor *ledger.Actor) error {
	context := m.begin(j, actor)
	if err := m.inherit(j, actor, context); err != nil {
		return err
	}
	reasons, err := m.problems(j)
	if err != nil {
		return err
	}
	if j.in.Atomic && slices.ContainsFunc(reasons, func(r problem) bool { return r.reason != "" }) {
		j.err = refuseAll(reasons)
		return nil
	}
	b := m.entry(j, actor, context, reasons)
	m.hold(actor, b.Number)
	actor.LastSync, actor.ClientType = m.tx.Now(), j.in.Meta.ClientType
	if m.actors[actor.ID] == nil {
		m.actors[actor.ID] = actor
		m.bound[actor.User]++
	}
	if m.session.Status.Open() {
		if err := m.merge(&b, j.in.Changes, actor, b.Seq); err != nil {
			return err
		}
	} else {
		m.head.Late++
		j.receipt.Status = StatusLate
	}
	m.head.Batches++
	m.log(&b)
	m.held[ledger.BatchRef{Actor: b.Actor, Number: b.Number}] = &b
	if b.Key != "" {
		m.keyed[ledger.BatchKey{Actor: b.Actor, Key: b.Key}] = &b
	}
	j.report(b, actor, reasons)
	m.showConflicts(j)
	return m.start()
}

// hold notes that a batch of the actor has arrived.
func (m *merging) hold(actor *ledger.Actor, number int64) {
	if _, noted := m.gapped[actor.ID]; !noted {
		m.gapped[actor.ID] = len(actor.Held.Missing()) > 0
	}
	actor.Held = actor.Held.Add(number)
	m.dirty[actor.ID] = true
}

// log seals b as the next entry.
func (m *merging) log(b *ledger.Entry) {
	*b = b.Seal(m.ref, m.head.Hash)
	m.head.Frontier = ledger.Frontier(m.head.Frontier).Append(m.head.Seq, b.Hash)
	m.head.Seq, m.head.Hash = b.Seq, b.Hash
	m.newBatches = append(m.newBatches, *b)
}

// start makes a session active with its first batch.
func (m *merging) start() error {
	if m.session.Status != firemode.SessionPending {
		return nil
	}
	m.session.Status = firemode.SessionActive
	if err := store.As[store.SessionWriter](m.tx).UpdateSession(m.ctx, m.session); err != nil {
		return err
	}
	m.session.Version++
	return nil
}

// inherit lets the first batch of a fresh client see what its phone had written before it forked: the batch it names as its
// predecessor, if that is part of its parent's run, and those before it.
func (m *merging) inherit(j *job, actor *ledger.Actor, context crdt.Clock) error {
	parent := m.actors[actor.Parent]
	if actor.Parent == "" || parent == nil || j.number != 1 || j.in.Meta.PrevBatch == "" {
		return nil
	}
	before, err := store.As[store.EntryReader](m.tx).EntryByBatchID(m.ctx, m.ref, parent.ID, j.in.Meta.PrevBatch)
	if firemode.CodeOf(err) == firemode.CodeNotFound && err != nil {
		return nil
	}
	if err == nil && before.Number <= parent.Merged.Prefix() {
		context[parent.ID] = max(context[parent.ID], before.Number)
	}
	return err
}

// entry makes the log entry of a job.
func (m *merging) entry(j *job, actor *ledger.Actor, context crdt.Clock, reasons []problem) ledger.Entry {
	meta := j.in.Meta
	b := ledger.Entry{
		Seq: m.head.Seq + 1, Kind: ledger.EntryChanges, Actor: actor.ID, Number: j.number, ID: meta.BatchID, PrevID: meta.PrevBatch,
		Content: j.content[:], User: j.user, Client: meta.Client, ClientType: meta.ClientType,
		CapturedAt: meta.CapturedAt, SentAt: meta.SentAt, ReceivedAt: m.tx.Now(), Context: context, Changes: ledger.ChangesText(j.in.Changes),
		Flags: j.receipt.Flags,
	}
	if j.number == 0 {
		b.Number, b.Key = actor.Held.Max()+1, j.in.Key
	}
	if j.p.User != j.user {
		b.SubmittedBy = j.p.User
	}
	b.Outcomes = make([]ledger.Outcome, len(j.in.Changes))
	for i, c := range j.in.Changes {
		b.Outcomes[i] = m.outcome(b, c, reasons[i].reason)
	}
	return b
}

// outcome decides what is stored about a change for ever.
func (m *merging) outcome(b ledger.Entry, c crdt.Change, reason string) ledger.Outcome {
	if reason != "" {
		return ledger.Outcome{Status: changeRejected, Reason: reason}
	}
	captured := c.CapturedAt
	if captured.IsZero() {
		captured = b.CapturedAt
	}
	at, flag := m.derivation.EffectiveTime(captured, b.SentAt, b.ReceivedAt)
	o := ledger.Outcome{Status: changeApplied, Time: at}
	if flag != "" {
		o.Flags = append(o.Flags, flag)
	}
	if b.SubmittedBy != "" {
		o.Flags = append(o.Flags, flagOnBehalf)
	}
	for _, op := range (&crdt.Batch{Actor: b.Actor, Number: b.Number, Changes: []crdt.Change{c}}).Ops(0, crdt.Stamp{}) {
		for _, flag := range m.derivation.Flags(op, m.items[assess.ParsePath(op.Path).Item]) {
			if !slices.Contains(o.Flags, flag) {
				o.Flags = append(o.Flags, flag)
			}
		}
	}
	return o
}

// merge makes a logged batch part of the document at number at.
func (m *merging) merge(b *ledger.Entry, changes []crdt.Change, actor *ledger.Actor, at int64) error {
	b.MergedSeq = at
	m.advance(b, actor, at)
	ops := m.operations(b, changes)
	later, err := m.later(b, actor, ops)
	if err != nil {
		return err
	}
	merged := m.state.Merge(ops, later)
	m.collect(b, merged, at)
	m.head.ChangedAt, m.head.ChangedSeq = b.ReceivedAt, at
	return nil
}

// advance notes that b is merged, and what of its actor's batches has become part of the run.
func (m *merging) advance(b *ledger.Entry, actor *ledger.Actor, at int64) {
	before := actor.Merged.Prefix()
	actor.Merged = actor.Merged.Add(b.Number)
	after := actor.Merged.Prefix()
	m.dirty[actor.ID] = true
	if after == before {
		return
	}
	actor.PrefixSeq, b.PrefixSeq = at, at
	if b.Number < after || b.Seq != at { // stored before: entries above the hole, and what was late
		m.newRuns = append(m.newRuns, store.PrefixChange{Actor: actor.ID, From: before + 1, To: after, Seq: at})
	}
}

func (m *merging) operations(b *ledger.Entry, changes []crdt.Change) []crdt.Op {
	source := crdt.Batch{Actor: b.Actor, Number: b.Number, Foreign: b.Context, Changes: changes}
	var ops []crdt.Op
	for i, c := range changes {
		outcome := b.Outcomes[i]
		if outcome.Status == changeRejected {
			continue
		}
		origin := &crdt.Origin{
			User: string(b.User), SubmittedBy: string(b.SubmittedBy), Client: b.Client, CapturedAt: c.CapturedAt, ReceivedAt: b.ReceivedAt,
			Instrument: c.Instrument, Source: c.Source, Reason: c.Reason, Flags: outcome.Flags,
		}
		if origin.CapturedAt.IsZero() {
			origin.CapturedAt = b.CapturedAt
		}
		for _, op := range source.Ops(i, crdt.Stamp{Time: outcome.Time, Origin: origin}) {
			op.Seq = b.Seq
			ops = append(ops, op)
		}
	}
	return ops
}

// later reads what the actor's batches above b have already done, if there are any.
func (m *merging) later(b *ledger.Entry, actor *ledger.Actor, ops []crdt.Op) (l crdt.Later, err error) {
	if b.Number == actor.Merged.Max() {
		return l, nil
	}
	if err := m.flush(); err != nil { // so that the queries below see what this transaction has merged
		return l, err
	}
	l.Batch = crdt.BatchRef{Actor: b.Actor, Number: b.Number}
	if l.Names, err = m.namedAhead(b, actor); err != nil {
		return l, err
	}
	chain := actor.Merged.RangeOf(b.Number)
	if chain[1] == b.Number {
		return l, nil
	}
	l.Chain = chain
	own, err := store.As[store.OwnOpReader](m.tx).OwnLive(m.ctx, m.ref, actor.ID, chain)
	if err != nil {
		return l, err
	}
	paths := make([]crdt.Pointer, 0, len(ops)+len(own))
	for _, op := range ops {
		paths = append(paths, op.Path)
	}
	for _, op := range own {
		paths = append(paths, op.Path)
	}
	if err := m.loadPaths(paths); err != nil {
		return l, err
	}
	l.Sweeps, err = store.As[store.OwnOpReader](m.tx).OwnSweeps(m.ctx, m.ref, actor.ID, crdt.Range{b.Number + 1, chain[1]}, crdt.WithAncestors(paths))
	return l, err
}

func (m *merging) namedAhead(b *ledger.Entry, actor *ledger.Actor) (map[crdt.Dot][]crdt.Pointer, error) {
	ahead, err := store.As[store.OwnOpReader](m.tx).OwnNames(m.ctx, m.ref, actor.ID, b.Number)
	names := map[crdt.Dot][]crdt.Pointer{}
	for _, op := range ahead {
		for _, d := range op.Names {
			if d.Actor == b.Actor && d.Batch == b.Number {
				names[d] = append(names[d], op.Path)
			}
		}
	}
	return names, err
}

// report fills in what became of each change.
func (j *job) report(b ledger.Entry, actor *ledger.Actor, reasons []problem) {
	for i, o := range b.Outcomes {
		result := ChangeResult{Index: i, Status: o.Status, Reason: o.Reason, Conflict: reasons[i].conflict}
		if o.Status != changeRejected {
			j.receipt.Applied++
		}
		j.receipt.Results = append(j.receipt.Results, result)
	}
	j.receipt.Missing = actor.Held.Missing()
}

func refuseAll(reasons []problem) error {
	var details []firemode.Detail
	for i, r := range reasons {
		if r.reason != "" {
			details = append(details, firemode.Detail{Field: fmt.Sprintf("changes[%d]", i), Reason: r.reason})
		}
	}
	return firemode.Invalid("the batch is atomic and some of its changes cannot be applied; nothing was", details...)
}
