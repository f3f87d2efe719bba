package machine

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"firemode"
	"firemode/client"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge/mergetest"
)

// A step is one action. Its numbers are taken modulo the number of choices, so that every step is
// possible at any time.
type step struct {
	do      action
	phone   int
	pick    int
	odd     bool    // the other way of doing it
	lost    bool    // the response is lost
	claims  []int64 // a forged clock: what the phone says to have seen of each client; nil for the true one
	changes []intent
}

type action string

const (
	record     action = "record"      // offline, for later
	send       action = "post"        // something that is pending, in any order
	retry      action = "retry"       // under the same key, spelt the same or in another way
	rekey      action = "rekey"       // the same batch under another key
	otherBody  action = "other body"  // under a used key
	otherBatch action = "other batch" // under a used number, or one that is far ahead
	careless   action = "careless"    // without a number of its own
	atomic     action = "atomic"      // a new batch, all or nothing; change by change after a refusal
	spoil      action = "spoilt"      // a pending batch, all or nothing, with an invalid change
	behalf     action = "on behalf"   // something that is pending on a phone which cannot sync, by its user's manager
	pull       action = "pull"        // the whole document
	delta      action = "delta"       // what has changed, page by page
	page       action = "page"        // of that the first page alone
	bundled    action = "bundle"
	settle     action = "resolve" // a conflict as it was shown
	settleBoth action = "resolve at once"
	restart    action = "restart"
	backUp     action = "backup"
	rollBack   action = "restore"
	clone      action = "clone"
	complete   action = "complete"
	reopen     action = "reopen"
	assault    action = "attack"
)

func (m *machine) step(s step) error {
	ph := m.phones[s.phone%len(m.phones)]
	switch s.do {
	case record:
		m.record(ph, s.changes)
		return m.check()
	case send:
		return m.send(ph, s)
	case retry, rekey, otherBody, otherBatch:
		return m.repeat(ph, s)
	case careless:
		return m.submit(
			post{phone: ph, user: ph.user, key: m.id("key "), client: ph.Client, changes: m.changes(ph, s.changes)},
			s.spelt(), s.lost,
		)
	case atomic:
		return m.atomic(ph, s)
	case spoil:
		return m.first(m.choose(ph, s).badly(s.odd), s.spelt(), s.lost)
	case behalf:
		return m.onBehalf(ph, s)
	case pull, delta, page, bundled:
		return m.read(ph, s)
	case settle, settleBoth:
		return m.settle(ph, s)
	case clone:
		return m.clone(ph)
	case complete, reopen:
		return m.patch(s)
	case assault:
		return m.attack(s.pick)
	}
	return m.operate(s)
}

// operate performs an operator's action.
func (m *machine) operate(s step) error {
	switch {
	case s.do == restart:
		m.event = restarted
		if err := m.restart(m.ctx); err != nil {
			return err
		}
	case s.do == backUp:
		name, err := m.backup(m.ctx)
		if err != nil {
			return err
		}
		m.kept = append(m.kept, kept{name, m.model.copy(), m.now})
	case len(m.kept) > 0:
		m.clock.forward(2 * time.Second) // two restorations within a second would be one epoch
		k := m.kept[s.pick%len(m.kept)]
		if err := m.restore(m.ctx, k.name); err != nil {
			return err
		}
		m.event, m.model, m.now = restored, k.model.copy(), k.facts
		m.forgotten()
	}
	return m.check()
}

// forgotten makes naive clients resend what a restored server lacks. They cannot know what is
// missing; their users must.
func (m *machine) forgotten() {
	has := map[string]bool{}
	for _, k := range m.model.known {
		has[k.key] = true
	}
	for _, ph := range m.phones {
		for i := range ph.drafts {
			ph.drafts[i].done = ph.drafts[i].done && has[ph.drafts[i].key]
		}
	}
}

// record queues changes on ph.
func (m *machine) record(ph *phone, intents []intent) {
	changes := m.changes(ph, intents)
	if ph.naive {
		ph.drafts = append(ph.drafts, draft{key: m.id("key "), changes: changes})
		return
	}
	if len(changes) == 0 {
		changes = m.changes(ph, []intent{{kind: client.OpSet, path: "/a", value: "1"}})
	}
	ph.Queue(changes, m.clock.now().Add(ph.skew), func() string { return m.id("b") })
}

// send posts a pending batch; if there is none, it records one first.
func (m *machine) send(ph *phone, s step) error {
	p := m.choose(ph, s)
	if s.claims != nil && !ph.naive {
		m.forge(&p, s.claims, s.odd && s.pick == 7)
	}
	return m.first(p, s.spelt(), s.lost)
}

// choose returns the request for a pending batch.
func (m *machine) choose(ph *phone, s step) post {
	if len(ph.pending()) == 0 {
		m.record(ph, s.changes)
	}
	pending := ph.pending()
	return pending[s.pick%len(pending)]
}

// spelt returns one of the encodings of the request of s.
func (s step) spelt() spelling { return spellings[s.pick%len(spellings)] }

// atomic has ph record something and send it as a whole. If it was refused, and ph knows, it sends
// each change for itself: see unwhole.
func (m *machine) atomic(ph *phone, s step) error {
	m.record(ph, s.changes)
	ph.asWhole()
	for range 2 {
		pending := ph.pending()
		p := pending[len(pending)-1]
		if err := m.first(p, s.spelt(), s.lost); err != nil || m.refused == nil || s.lost {
			return err
		}
	}
	return nil
}

// onBehalf has a manager submit what is pending on ph, and tell it nothing. Others may not.
func (m *machine) onBehalf(ph *phone, s step) error {
	p := m.choose(ph, s)
	if p.by = "boss"; s.lost {
		p.by = users[s.pick%len(users)]
	}
	return m.first(p, s.spelt(), true)
}

// first sends a request for the first time.
func (m *machine) first(p post, sp spelling, lost bool) error {
	p.phone.sent = append(p.phone.sent, p)
	return m.submit(p, sp, lost)
}

// forge replaces the clock of p by an invented one, with thousands of entries in a flood.
func (m *machine) forge(p *post, claims []int64, flood bool) {
	p.clock = client.Clock{"N~s": claims[0], "~cyd": claims[0]}
	for i, other := range m.phones {
		if other.Client != "" {
			p.clock[other.Client] = claims[i%len(claims)]
		}
	}
	for i := range 5000 {
		if flood {
			p.clock[fmt.Sprint("x", i)] = 1
		}
	}
	delete(p.clock, p.client)
}

// repeat repeats an earlier request, or sends a variant of it.
func (m *machine) repeat(ph *phone, s step) error {
	if len(ph.sent) == 0 {
		return m.send(ph, s)
	}
	p := ph.sent[s.pick%len(ph.sent)]
	other := slices.Concat(p.changes, []client.Change{client.Set("/e", []byte("1"))})
	switch s.do {
	case rekey:
		p.key = m.id("key ")
	case otherBody:
		p.changes = other
	case otherBatch:
		p.key, p.changes = m.id("key "), other
		if s.odd && p.number > 0 {
			p.number += 20_000
		}
	}
	if (s.do == otherBody || s.do == otherBatch || p.phone.gaveUp(p)) && m.model.judge(p) == admitted {
		return nil // the server does not hold it, or not any more: whoever sent this now would be a client that lies
	}
	sp := spellings[0]
	if s.odd {
		sp = s.spelt()
	}
	return m.submit(p, sp, s.lost)
}

func (m *machine) postBody(p post, s spelling, body []byte) answer {
	header := map[string]string{
		"Idempotency-Key": p.key, "Content-Type": "application/json", "Content-Encoding": s.content,
	}
	if s.lines {
		header["Content-Type"] = mediaLines
	}
	if s.asked {
		header["Accept"] = mediaLines
	}
	return m.do(
		request{
			token:  m.tokens[p.submitter()],
			method: http.MethodPost,
			path:   m.path("/results"),
			body:   bytes.NewReader(body),
			header: header,
		},
	)
}

// read gets the document in one of its forms. What is lost was delivered all the same, as far as
// the server can know.
func (m *machine) read(ph *phone, s step) error {
	header := map[string]string{}
	if ph.Client != "" {
		header["X-Client-ID"] = ph.Client
	}
	if s.do == bundled {
		m.clock.forward(2 * time.Second) // it may trail the head by one
		a := m.get(ph.user, "/offline_bundle", header)
		var b client.Bundle
		if err := a.into(&b); err != nil {
			return fmt.Errorf("the bundle: %w", err)
		}
		return m.take(ph, b.Data.Results, "", s.lost)
	}
	if s.odd {
		header["Accept"] = mediaLines
	}
	for cursor := ph.Cursor; ; {
		query := ""
		if s.do == pull {
			cursor = ""
		}
		if cursor != "" {
			query = fmt.Sprintf("?since=%s&limit=%d", cursor, 1+s.pick%3)
		}
		a := m.get(ph.user, "/results"+query, header)
		if gone := cursor != "" && m.walks[cursor].epoch != m.now.Head.Epoch; gone || a.status == http.StatusGone {
			if !gone || a.status != http.StatusGone {
				return fmt.Errorf(
					"a cursor of epoch %d in epoch %d: status %d", m.walks[cursor].epoch, m.now.Head.Epoch, a.status,
				)
			}
			ph.Cursor = ""
			return m.check()
		}
		var r client.Results
		if err := a.into(&r); err != nil {
			return fmt.Errorf("a document: %w", err)
		}
		if err := m.take(ph, r, cursor, s.lost); err != nil || r.Complete || s.do == page {
			return err
		}
		cursor = r.Cursor
	}
}

// take notes what an answer delivers, and has the phone take it over unless it is lost. since is ""
// for the whole.
func (m *machine) take(ph *phone, r client.Results, since string, lost bool) error {
	if err := m.witness(r.Checkpoint); err != nil {
		return err
	}
	m.remember(r.Conflicts)
	seq := int64(0)
	if r.Checkpoint != "" {
		c, err := ledger.OpenCheckpoint(r.Checkpoint, m.verifier)
		if err != nil {
			return err
		}
		seq = c.Size
	}
	began := seq
	if since != "" {
		began = m.walks[since].from
	}
	m.walks[r.Cursor] = walk{seq, r.Epoch}
	if !r.Complete {
		m.walks[r.Cursor] = walk{began, r.Epoch}
	}
	if r.Complete && (since == "" || began <= m.model.delivered[crdt.ActorID(ph.Client)]) {
		m.model.deliver(ph.Client, seq, r.Clock)
	}
	if lost {
		return m.check()
	}
	if err := ph.Show(r, since == ""); err != nil {
		return err
	}
	if r.Complete {
		m.pulled = ph
	}
	return m.check()
}

// settle has one phone, or two that do not know of each other, resolve a conflict as it was shown,
// or now and then as it was not.
func (m *machine) settle(ph *phone, s step) error {
	if err := m.read(ph, step{do: pull}); err != nil {
		return err
	}
	both := []*phone{ph}
	if s.do == settleBoth {
		other := m.phones[(s.phone+1+s.pick)%len(m.phones)]
		if err := m.read(other, step{do: pull}); err != nil {
			return err
		}
		both = append(both, other)
	}
	for i, one := range both {
		m.record(
			one,
			[]intent{
				{
					kind:   client.OpResolve,
					pick:   s.pick,
					value:  []string{`"x"`, "2"}[i],
					odd:    s.odd && i == 0,
					forged: s.pick > 5 && i == 0,
				},
			},
		)
	}
	for _, one := range both {
		pending := one.pending()
		if err := m.first(pending[len(pending)-1], s.spelt(), s.lost); err != nil {
			return err
		}
	}
	return nil
}

// clone sets another phone up from a copy of ph. Both go on, not knowing of each other.
func (m *machine) clone(ph *phone) error {
	if len(m.phones) >= 10 || ph.naive {
		return nil
	}
	copied, err := ph.copied()
	if err != nil {
		return err
	}
	m.phones = append(m.phones, copied)
	for _, one := range []*phone{ph, copied, copied} {
		m.record(one, []intent{{kind: client.OpSet, path: "/a", value: "2"}})
	}
	return m.check()
}

// patch completes or reopens the session, if that may be; before it is completed a manager mostly
// sees to its conflicts.
func (m *machine) patch(s step) error {
	if s.do == complete && !s.odd && !m.model.completed {
		if err := m.settleAll(); err != nil {
			return err
		}
	}
	was, to := m.now.Session.Status, firemode.SessionCompleted
	body := fmt.Sprintf(`{"status":"completed","reason":"done","accept_gaps":%v}`, s.pick%4 > 0)
	may := (was == firemode.SessionActive || was == firemode.SessionReopened) && m.now.Head.Conflicts == 0 &&
		(m.now.Head.Gaps == 0 || s.pick%4 > 0)
	if s.do == reopen {
		to, body, may = firemode.SessionReopened, `{"status":"reopened","reason":"one more reading"}`,
			was == firemode.SessionCompleted
	}
	a := m.do(request{
		token: m.tokens["boss"], method: http.MethodPatch, path: m.path(""), body: bytes.NewReader([]byte(body)),
		header: map[string]string{"If-Match": "*", "Content-Type": "application/json"},
	})
	want := http.StatusConflict
	if may || was == to {
		want = http.StatusOK
	}
	if a.status != want {
		return fmt.Errorf("%s from %s: status %d, want %d: %s", s.do, was, a.status, want, a.body)
	}
	if may {
		m.model.move(to == firemode.SessionCompleted)
	}
	return m.check()
}

// move notes the new status. What was late is not when the session is open again.
func (m *model) move(completed bool) {
	m.completed = completed
	if completed {
		return
	}
	for ref, k := range m.known {
		k.late = false
		m.known[ref] = k
	}
}

// settleAll has the manager resolve every conflict.
func (m *machine) settleAll() error {
	boss := m.phones[slices.IndexFunc(m.phones, func(ph *phone) bool { return ph.user == "boss" })]
	for range 3 {
		if err := m.read(boss, step{do: pull}); err != nil {
			return err
		}
		var all []intent
		for range boss.Conflicts {
			all = append(all, intent{kind: client.OpResolve, pick: len(all), value: `"x"`})
		}
		if len(all) == 0 {
			return nil
		}
		m.record(boss, all)
		for _, p := range boss.pending() {
			if err := m.first(p, spellings[0], false); err != nil {
				return err
			}
		}
	}
	return nil
}

// heal brings everybody up to date, and holds that nothing that was ever recorded is missing.
func (m *machine) heal() error {
	if err := m.patch(step{do: reopen}); err != nil {
		return err
	}
	m.healing = true
	defer func() { m.healing = false }()
	for range 12 {
		idle := true
		for _, ph := range m.phones {
			if err := m.read(ph, step{do: pull}); err != nil {
				return err
			}
			for _, p := range ph.pending() {
				idle = false
				if !slices.ContainsFunc(
					ph.pending(), func(q post) bool { return q.key == p.key && q.number == p.number },
				) {
					continue // the phone has another id by now
				}
				if err := m.first(p, spellings[0], false); err != nil {
					return err
				}
			}
		}
		if idle {
			m.healing = false
			return mergetest.All(m.check(), m.healed())
		}
	}
	var all []string
	for _, ph := range m.phones {
		all = append(all, fmt.Sprint(ph.Client, " has ", chain(ph)))
	}
	return fmt.Errorf(
		"after twelve rounds somebody still has something to send:\n%s\nthe log:\n%s", strings.Join(all, "\n"), m.now,
	)
}

func (m *machine) healed() error {
	for _, ph := range m.phones {
		for _, b := range ph.Batches {
			p := ph.of(b)
			if m.model.judge(
				post{
					phone:   ph,
					user:    p.user,
					key:     "another",
					number:  p.number,
					client:  p.client,
					changes: p.changes,
					id:      p.id,
				},
			) != duplicate {
				return fmt.Errorf(
					"batch %d of %s, %s, was recorded and is not there: the phone has %v\nthe log:\n%s", b.Number,
					b.Client, b.ID, chain(ph), m.now,
				)
			}
		}
		if err := sameReplica(&ph.State, m.shown); err != nil {
			return err
		}
	}
	return nil
}

// chain writes what a phone holds, with a ! for what is pending, and a ? for what is in doubt.
func chain(ph *phone) (all []string) {
	for _, b := range ph.Batches {
		text := fmt.Sprintf("%s:%d %s<%s", b.Client, b.Number, b.ID, b.PrevID)
		if !b.Acknowledged {
			text += "!"
		}
		if b.Doubted {
			text += "?"
		}
		all = append(all, text)
	}
	return all
}

// conflictsOf lists what a phone was shown, in an order.
func conflictsOf(ph *phone) []client.Conflict {
	var all []client.Conflict
	for _, p := range slices.Sorted(maps.Keys(ph.Conflicts)) {
		all = append(all, ph.Conflicts[p])
	}
	return all
}
