package crdt_test

import (
	"maps"
	"slices"

	"firemode/internal/record/crdt"
)

// play is a script being played: phones on one side, a server on the other.
type play struct {
	*server
	phones []*phone
	arrive func(batch) // called with every batch that the server accepts
}

// phone is one actor: it counts its batches, and keeps those that it has not sent.
type phone struct {
	id    crdt.ActorID
	wrote []crdt.OpID // everything, in order, sent or not
	last  int64       // number of the last batch written
	held  []draft
	born  crdt.Clock // what the first batch of a fresh id has in its context besides its clock
}

// draft is a batch on a phone.
type draft struct {
	crdt.Batch            // Foreign is what is claimed, not clamped yet
	inherited  crdt.Clock // what the server adds to the context
	times      []int64    // of each change
}

func newPlay(s *server, arrive func(batch)) *play {
	p := &play{server: s, arrive: arrive}
	for i := range phones {
		p.phones = append(p.phones, &phone{id: crdt.ActorID(rune('A' + i))})
	}
	return p
}

// run plays every step, and at the end sends what is held, last first.
func (p *play) run(sc script) {
	for _, s := range sc {
		p.step(s, p.phones[s.phone%len(p.phones)])
	}
	for _, ph := range p.phones {
		for len(ph.held) > 0 {
			p.send(ph, len(ph.held)-1)
		}
	}
}

func (p *play) step(s step, ph *phone) {
	switch s.do {
	case write:
		p.write(ph, s)
		p.send(ph, len(ph.held)-1)
	case hold:
		p.write(ph, s)
	case send:
		if len(ph.held) > 0 {
			p.send(ph, s.pick%len(ph.held))
		}
	case pull:
		p.delivered[ph.id] = len(p.log)
	case fork:
		p.fork(ph, int64(s.pick%3))
	}
}

// fork adds a phone that goes on from ph under a fresh id. It inherits what was delivered, and with
// its first batch has seen what its parent had written up to back batches ago, that without a gap.
func (p *play) fork(ph *phone, back int64) {
	fresh := &phone{id: ph.id + "f", born: crdt.Clock{ph.id: ph.last - back}}
	for _, other := range p.phones {
		if other.id == fresh.id {
			return
		}
	}
	p.delivered[fresh.id] = p.delivered[ph.id]
	p.phones = append(p.phones, fresh)
}

func (p *play) write(ph *phone, s step) {
	ph.last++
	d := draft{Batch: crdt.Batch{Actor: ph.id, Number: ph.last, Foreign: crdt.Clock{}}, inherited: ph.born}
	ph.born = nil
	for i, seen := range s.clock {
		if i < len(p.phones) && seen > 0 {
			d.Foreign[p.phones[i].id] = seen
		}
	}
	for _, in := range s.changes {
		if c, ok := p.change(ph, in); ok {
			d.Changes = append(d.Changes, c)
			d.times = append(d.times, in.time)
			for _, op := range d.Ops(len(d.Changes)-1, crdt.Stamp{}) {
				ph.wrote = append(ph.wrote, op.ID())
			}
		}
	}
	ph.held = append(ph.held, d)
}

// change makes an intent a change; ok is false when there is nothing to name.
func (p *play) change(ph *phone, in intent) (c crdt.Change, ok bool) {
	c = crdt.Change{Kind: in.kind, Path: in.path, Value: in.value}
	switch in.kind {
	case crdt.Remove:
		c.Value = ""
	case crdt.Increment:
		c.Value = in.delta
	case crdt.Resolve:
		return p.resolve(in)
	case crdt.Correct:
		return p.correct(ph, in)
	}
	return c, true
}

// resolve names every sibling of one of the conflicts that are open.
func (p *play) resolve(in intent) (c crdt.Change, ok bool) {
	open := p.conflicts()
	if len(open) == 0 {
		return c, false
	}
	chosen := open[in.pick%len(open)]
	c = crdt.Change{Kind: crdt.Resolve, Path: chosen.Path, Value: in.value, ConflictID: chosen.ID}
	for _, op := range chosen.Siblings {
		if !slices.Contains(c.Names, op.Dot) {
			c.Names = append(c.Names, op.Dot)
		}
	}
	if in.above { // a flag like any other: resolved to absent
		c.Value = ""
	}
	return c, true
}

// correct names an own earlier reading, which may arrive later, or one that was delivered.
func (p *play) correct(ph *phone, in intent) (c crdt.Change, ok bool) {
	known := slices.Clone(ph.wrote)
	for _, b := range p.log {
		if b.actor == ph.id || b.number > p.clamp(crdt.Clock{b.actor: b.number}, ph.id)[b.actor] {
			continue
		}
		for _, op := range b.ops {
			known = append(known, op.ID())
		}
	}
	if len(known) == 0 {
		return c, false
	}
	reading := known[in.pick%len(known)]
	c = crdt.Change{Kind: crdt.Correct, Path: reading.Path, Value: in.value, Names: []crdt.Dot{reading.Dot}}
	if above, has := reading.Path.Parent(); has && in.above {
		c.Path = above
	}
	return c, true
}

// send gives the server the held batch i.
func (p *play) send(ph *phone, i int) {
	d := ph.held[i]
	ph.held = slices.Delete(ph.held, i, i+1)
	d.Foreign = p.clamp(d.Foreign, ph.id)
	for parent, n := range d.inherited {
		if n > d.Foreign[parent] && n <= p.merged[parent].Prefix() {
			d.Foreign = maps.Clone(d.Foreign)
			d.Foreign[parent] = n
		}
	}
	b := batch{actor: d.Actor, number: d.Number, foreign: d.Foreign}
	for c := range d.Changes {
		b.ops = append(b.ops, d.Ops(c, crdt.Stamp{Time: d.times[c]})...)
	}
	p.arrive(b)
}
