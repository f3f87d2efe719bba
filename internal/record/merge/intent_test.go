package merge_test

import (
	"encoding/json"
	"slices"
	"time"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// captured are the times that phones put on a change: none, in order, the same, years off.
var captured = []time.Duration{
	0,
	0,
	time.Second,
	2 * time.Second,
	2 * time.Second,
	-3 * 365 * 24 * time.Hour,
	3 * 365 * 24 * time.Hour,
	time.Minute,
}

// change makes an intent a change; ok is false when there is nothing to name.
func (p *play) change(ph *phone, in intent) (c change, ok bool) {
	c = change{{"op", in.kind}, {"path", in.path}}
	if at := captured[in.captured]; at != 0 {
		c = append(c, member{"captured_at", epoch.Add(at).Format(time.RFC3339)})
	}
	switch in.kind {
	case crdt.Remove:
	case crdt.Increment:
		c = append(c, member{"delta", json.RawMessage(in.delta)})
	case crdt.Resolve:
		return p.resolve(c, in)
	case crdt.Correct:
		return p.correct(ph, c, in)
	default:
		c = append(c, member{"value", json.RawMessage(in.value)})
	}
	return c, true
}

// resolve settles a conflict that is open, or one that was shown at some time.
func (p *play) resolve(c change, in intent) (change, bool) {
	from := p.model.open
	if in.odd {
		from = p.model.shown
	}
	if len(from) == 0 {
		return nil, false
	}
	return settle(c, from[in.pick%len(from)], in), true
}

func settle(c change, open ledger.Conflict, in intent) change {
	c[1].value = open.Path
	id := open.ID
	if in.forged {
		id = "x" + id
	}
	var dots []string
	for _, v := range open.Values {
		if !slices.Contains(dots, v.Dot) {
			dots = append(dots, v.Dot)
		}
	}
	c = append(c, member{"conflict_id", id}, member{"dots", dots}, member{"reason", "seen on site"})
	if in.pick%4 == 3 {
		return c // settled to absent
	}
	return append(c, member{"value", json.RawMessage(in.value)})
}

// correct names an own earlier reading, which may arrive later, or one of others that was
// delivered, unless it is forged.
func (p *play) correct(ph *phone, c change, in intent) (change, bool) {
	known := slices.Clone(ph.wrote)
	seen := p.model.seen(p.facts, ph.actor(true))
	for i := range p.facts.Log {
		for _, op := range p.facts.Ops(i) {
			if in.forged || op.Batch <= seen[op.Actor] {
				known = append(known, op.ID())
			}
		}
	}
	if len(known) == 0 {
		return nil, false
	}
	reading := known[(len(known)-1)*in.pick/7]
	path := reading.Path
	if above, has := path.Parent(); has && in.odd {
		path = above
	}
	c[1].value = path
	return append(
		c,
		member{"dot", reading.Dot.String()},
		member{"reason", "misread"},
		member{"value", json.RawMessage(in.value)},
	), true
}
