package merge_test

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/merge/mergetest"
)

// play is a script being played on a real store, beside a model of what must come of it.
type play struct {
	*world
	ctx     context.Context
	service *record
	ref     ledger.SessionRef
	phones  []*phone
	batches int
	keys    int
	model   *model
	facts   *mergetest.Facts // as of the last check
}

var manager = firemode.Principal{User: "boss", Role: firemode.RoleManager}

// newPlay makes a session and its clients: three that count, one without batch ids, of two users;
// and two that do not count.
func (w *world) newPlay(ctx context.Context) (*play, error) {
	ref, err := w.newSession(ctx, "X", "Y")
	if err != nil {
		return nil, err
	}
	p := &play{world: w, ctx: ctx, ref: ref, model: newModel()}
	for _, ph := range []phone{
		{client: "A", by: p.user("ann"), counts: true, ids: true},
		{client: "B", by: p.user("bob"), counts: true, ids: true},
		{client: "C", by: p.user("ann"), counts: true},
		{client: "", by: p.user("cyd")},
		{client: "N", by: p.user("bob")},
	} {
		p.phones = append(p.phones, &ph)
	}
	if p.service, err = w.newService(); err != nil {
		return nil, err
	}
	return p, p.check(nil)
}

func (p *play) user(id firemode.UserID) firemode.Principal {
	return firemode.Principal{Org: p.ref.Org, User: id, Role: firemode.RoleTechnician}
}

// run plays every step, sends at the end what is held, last first, and verifies the session.
func (p *play) run(sc script) error {
	for _, s := range sc {
		if err := p.step(s); err != nil {
			return fmt.Errorf("%s: %w", s.do, err)
		}
	}
	for _, ph := range p.phones {
		for len(ph.held) > 0 {
			if err := p.submit(p.take(ph, len(ph.held)-1)); err != nil {
				return fmt.Errorf("the rest: %w", err)
			}
		}
	}
	return p.verify()
}

func (p *play) step(s step) error {
	ph := p.phones[s.phone%len(p.phones)]
	switch s.do {
	case pull:
		return p.pull(ph, s.odd)
	case page:
		return p.page(ph, s)
	case clone:
		if ph.counts && len(p.phones) < 8 {
			p.phones = append(p.phones, ph.copyFrom(int64(s.pick%3)))
		}
		return nil
	case restart:
		p.service.Close()
		var err error
		p.service, err = p.newService()
		return err
	case complete:
		return p.complete(s)
	case reopen:
		return p.reopen(s)
	case together:
		return p.together(ph, s)
	}
	for _, one := range p.compose(ph, s) {
		if err := p.submit(one); err != nil {
			return err
		}
	}
	return nil
}

// compose makes the requests of a posting step, if there is anything to post: the phone's, a
// manager's, or both.
func (p *play) compose(ph *phone, s step) []post {
	own, ok := p.composeOwn(ph, s)
	if !ok {
		return nil
	}
	managers := own.onBehalf(p.boss())
	switch {
	case !s.behalf:
		return []post{own}
	case s.pick%3 == 0:
		own.phone.sent = append(own.phone.sent, own) // it may come to try itself
		return []post{managers}
	case s.pick%3 == 1:
		return []post{managers, own}
	}
	return []post{own, managers}
}

// composeOwn makes the phone's request of a posting step; ok is false when there is nothing to
// post.
func (p *play) composeOwn(ph *phone, s step) (one post, ok bool) {
	switch s.do {
	case write, hold, careless:
		d := p.draft(ph, s)
		if !ph.counts || s.do == careless {
			p.keys++
			return ph.post(d, fmt.Sprint("key ", p.keys), s.odd), true
		}
		p.batches++
		ph.keep(d, fmt.Sprint("b", p.batches))
		if s.do == hold {
			return one, false
		}
		return p.take(ph, len(ph.held)-1), true
	case send, lose:
		if len(ph.held) == 0 {
			return one, false
		}
		i := s.pick % len(ph.held)
		if s.do == lose {
			ph.held[i].changes = nil
		}
		return p.take(ph, i), true
	default:
		return p.repeat(ph, s)
	}
}

// take makes the request for the held draft i.
func (p *play) take(ph *phone, i int) post {
	d := ph.held[i]
	ph.held = append(ph.held[:i:i], ph.held[i+1:]...)
	p.keys++
	return ph.post(d, cmp.Or(d.key, fmt.Sprint("key ", p.keys)), i%2 == 1)
}

// repeat makes an earlier request again, or something like it.
func (p *play) repeat(ph *phone, s step) (one post, ok bool) {
	if len(ph.sent) == 0 {
		return one, false
	}
	was := ph.sent[s.pick%len(ph.sent)]
	key, d := was.Key, was.draft
	switch {
	case s.do == again:
		p.keys++
		key = fmt.Sprint("key ", p.keys)
	case s.do == reuse && s.pick > 3:
		d.whole = !d.whole
	case s.do == reuse:
		d.changes = append(d.changes[:len(d.changes):len(d.changes)], change{{"op", "set"}, {"path", "/e"}, {"value", 1}})
	}
	one = was.phone.post(d, key, s.odd)
	one.Meta.Client, one.resent = was.Meta.Client, true
	if d.number > 0 {
		delete(one.Meta.Clock, crdt.ActorID(was.phone.client))
		one.Meta.Clock[crdt.ActorID(was.Meta.Client)] = d.number
	}
	return one, true
}

func (p *play) draft(ph *phone, s step) draft {
	d := draft{clock: crdt.Clock{}, whole: s.whole}
	if !s.claims {
		for id, n := range p.model.seen(p.facts, ph.actor(true)) {
			d.clock[id] = n
		}
	}
	for i, n := range s.clock {
		if other := p.phones[i%len(p.phones)]; n > 0 {
			d.clock[other.actor(other.counts)] = n
		}
	}
	delete(d.clock, crdt.ActorID(ph.client))
	for _, in := range s.changes {
		if c, ok := p.change(ph, in); ok {
			d.changes = append(d.changes, c)
		}
	}
	if s.pick == 7 {
		d.sentAt = epoch.Add(-48 * time.Hour)
	}
	return d
}

// submit makes one request and checks everything.
func (p *play) submit(one post) error {
	var a merge.Answer
	a.Receipt, a.Replayed, a.Err = p.service.Submit(firemode.WithPrincipal(p.ctx, one.By), one.Submission)
	return p.check([]exchange{{one, a}})
}

// together makes several requests that are served in one transaction, after all that the phone
// holds, last first.
func (p *play) together(ph *phone, s step) error {
	var requests []merge.Post
	var all []exchange
	add := func(one post) {
		requests = append(requests, one.Post)
		all = append(all, exchange{post: one})
	}
	for s.odd && len(ph.held) > 0 {
		add(p.take(ph, len(ph.held)-1))
	}
	for _, s := range s.with {
		for _, one := range p.compose(p.phones[s.phone%len(p.phones)], s) {
			add(one)
		}
	}
	if len(all) == 0 {
		return nil
	}
	for i, a := range p.service.Together(p.ctx, requests) {
		all[i].answer = a
	}
	return p.check(all)
}

// exchange is a request and its answer.
type exchange struct {
	post
	answer merge.Answer
}
