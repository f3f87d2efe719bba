package merge_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge/mergetest"
	"firemode/internal/record/view"
	"firemode/internal/visits"
)

// results reads for a phone, or for nobody.
func (p *play) results(ph *phone, q view.Query) (a answer, err error) {
	q.Session = p.ref.Session
	return a, p.service.Results(firemode.WithPrincipal(p.ctx, ph.by), q, &a)
}

// pull reads the whole document. It is delivered to a phone that says who it is.
func (p *play) pull(ph *phone, anonymous bool) error {
	q := view.Query{Client: ph.client}
	if anonymous {
		q.Client = ""
	}
	a, err := p.results(ph, q)
	if err != nil {
		return err
	}
	ph.cursor = &a.Cursor
	p.deliver(q.Client, a.Seq)
	return p.check(nil)
}

func (p *play) deliver(client string, seq int64) {
	if client != "" {
		id := crdt.ActorID(client)
		p.model.delivered[id] = max(p.model.delivered[id], seq)
	}
}

// page reads what changed since the last answer, in pages of one or two changes. It is delivered
// with its last page, if what came before the first was.
func (p *play) page(ph *phone, s step) error {
	if ph.cursor == nil || ph.client == "" {
		return nil
	}
	began := ph.cursor.From
	if ph.cursor.Client != ph.client {
		began = ph.cursor.Seq
	}
	for pages := 1; ; pages++ {
		a, err := p.results(ph, view.Query{Client: ph.client, Since: ph.cursor, Limit: 1 + s.pick%2})
		if err != nil {
			return err
		}
		ph.cursor = &a.Cursor
		if a.Complete && began <= p.model.delivered[crdt.ActorID(ph.client)] {
			p.deliver(ph.client, a.Seq)
		}
		if a.Complete || s.odd {
			return p.check(nil)
		}
		if pages > 100 {
			return errors.New("the delta has no end")
		}
	}
}

// complete completes the session if that may be, after settling everything unless told not to.
func (p *play) complete(s step) error {
	if !s.odd && p.facts.Session.Status != firemode.SessionCompleted {
		if err := p.settle(); err != nil {
			return err
		}
	}
	accept := s.pick%2 == 0
	status := firemode.SessionCompleted
	was := p.facts
	may := was.Session.Status == firemode.SessionActive || was.Session.Status == firemode.SessionReopened
	may = may && was.Head.Conflicts == 0 && was.Head.Done == len(was.Items) && (was.Head.Gaps == 0 || accept)
	return p.patch(visits.Patch{Status: &status, Reason: "done", AcceptGaps: accept}, may, was.Session.Status == status)
}

func (p *play) reopen(s step) error {
	status := firemode.SessionReopened
	may := p.facts.Session.Status == firemode.SessionCompleted && !s.odd
	reason := "one more reading"
	if s.odd {
		reason = " "
	}
	return p.patch(visits.Patch{Status: &status, Reason: reason}, may, p.facts.Session.Status == status)
}

// patch changes the status, which may be allowed, or be what it is already.
func (p *play) patch(patch visits.Patch, may, already bool) error {
	was := p.facts
	_, err := p.service.Patch(firemode.WithPrincipal(p.ctx, p.boss()), p.ref.Session, "*", patch)
	if (err == nil) != (may || already) {
		return fmt.Errorf("from %s to %s: %v, want %v", was.Session.Status, *patch.Status, err, may || already)
	}
	if err := p.check(nil); err != nil {
		return err
	}
	status, entries := was.Session.Status, len(was.Log)
	if may {
		status, entries = *patch.Status, entries+1
	}
	if may && status == firemode.SessionReopened {
		if err := p.noneLate(int64(entries)); err != nil {
			return err
		}
	}
	return mergetest.All(
		mergetest.Same("status", p.facts.Session.Status, status),
		mergetest.Same("entries", len(p.facts.Log), entries),
	)
}

// noneLate holds that a reopening made what was late part of the document, at its own number.
func (p *play) noneLate(reopened int64) error {
	for i, b := range p.facts.Log {
		was := b.MergedSeq
		if i < len(p.facts.Log)-1 && b.Kind == ledger.EntryChanges && was != b.Seq && was > reopened || was == 0 {
			return fmt.Errorf("log entry %d is merged at %d, and the session was reopened at %d", b.Seq, was, reopened)
		}
	}
	return nil
}

// settle resolves, by one who has read everything, every conflict that is open, and sees to the
// items that nobody has.
func (p *play) settle() error {
	boss := &phone{by: p.boss(), client: "M", counts: true, ids: true, last: p.model.held("M").Max()}
	if n := boss.last; n > 0 {
		boss.lastID = p.model.known["M"][n].ID
	}
	for range 3 {
		if err := p.pull(boss, false); err != nil {
			return err
		}
		d := draft{clock: p.model.seen(p.facts, "M")}
		delete(d.clock, "M")
		for i, open := range p.model.open {
			d.changes = append(
				d.changes,
				settle(change{{"op", crdt.Resolve}, {"path", ""}}, open, intent{pick: i % 3, value: `"pass"`}),
			)
		}
		for _, item := range p.facts.Items {
			if item.State == firemode.ItemUntouched {
				d.changes = append(
					d.changes,
					change{{"op", crdt.Set}, {"path", "/items/" + item.ID + "/outcome"}, {"value", json.RawMessage(`"pass"`)}},
				)
			}
		}
		if len(d.changes) == 0 {
			return nil
		}
		p.batches++
		boss.keep(d, fmt.Sprint("b", p.batches))
		if err := p.submit(p.take(boss, 0)); err != nil {
			return err
		}
	}
	return nil
}

// verify has the service itself compute everything again from the log.
func (p *play) verify() error {
	var differences []string
	err := p.service.verify(
		p.ctx,
		p.ref,
		p.scratch,
		func(where, what string) { differences = append(differences, where+": "+what) },
	)
	p.service.Close()
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if err := mergetest.Same("verify", differences, nil); err != nil {
		return fmt.Errorf("%w\nthe log:\n%s", err, p.facts)
	}
	return nil
}
