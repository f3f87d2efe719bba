package machine

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"firemode"
	"firemode/client"
	"firemode/internal/record/crdt"
)

// phone is one client, driven a request at a time. What it remembers is what the Go client of
// docs/sync.md does.
type phone struct {
	client.State
	user  string
	naive bool // does not count: Client may be "", and what it records is in drafts
	plain bool // gives its batches no ids
	skew  time.Duration

	drafts []draft // of a naive phone
	sent   []post  // requests that were made, oldest first

	whole map[string]bool // by key, of what is to be applied whole or not at all: whether that was not refused yet
}

// draft is what a naive phone wants to get rid of: the key is all that tells it from another.
type draft struct {
	key     string
	changes []client.Change
	whole   bool // all of it or nothing
	done    bool
}

// post is a POST of results before it is put on the wire.
type post struct {
	phone   *phone
	user    string
	by      string // who submits it on behalf of user; "" for user's own phone
	whole   bool   // all changes or none
	spoilt  bool   // not what its phone holds
	key     string
	number  int64 // 0 when the server counts
	client  string
	changes []client.Change
	id      string
	prev    string
	clock   client.Clock // foreign entries, true or forged
	at      time.Time    // captured
	skew    time.Duration
}

// actor is whose batch p is.
func (p post) actor() crdt.ActorID {
	if p.number > 0 {
		return crdt.ActorID(p.client)
	}
	return crdt.NaiveActor(p.client, p.user)
}

// content is equal for two posts whose changes mean the same.
func (p post) content() string {
	text, err := json.Marshal(p.changes, json.Deterministic(true))
	if err != nil {
		panic(err) // made of JSON
	}
	return string(text)
}

// submitter is who makes the request.
func (p post) submitter() string { return cmp.Or(p.by, p.user) }

// slot is where the answer to p is kept: each user has keys of their own.
func (p post) slot() string { return p.submitter() + " " + p.key }

// fingerprint is what the same key must not be used for twice.
func (p post) fingerprint() string {
	return fmt.Sprint(p.client, " ", p.number, " ", p.whole, " ", p.user, " ", p.content())
}

// submittedBy is what is noted of who made the request: nothing when it is about their own work.
func (p post) submittedBy() string {
	if p.by == p.user {
		return ""
	}
	return p.by
}

// badly is p with one change more, which cannot be applied, before or after the others.
func (p post) badly(first bool) post {
	bad := []client.Change{{Op: "guess", Path: "/a"}}
	if first {
		p.changes = slices.Concat(bad, p.changes)
	} else {
		p.changes = slices.Concat(p.changes, bad)
	}
	p.whole, p.spoilt = true, true
	return p
}

// unfit are the changes, in the words of a refusal, that cannot be applied to any session, and
// those that depend on what it holds.
func (p post) unfit() (must, may []string, err error) {
	changes, err := parse(p.content())
	for i, c := range changes {
		field := fmt.Sprintf("changes[%d]", i)
		switch {
		case c.Rejected != "":
			must = append(must, field)
		case c.Kind == crdt.Resolve, c.Kind == crdt.Correct:
			may = append(may, field)
		}
	}
	return must, may, err
}

// asWhole says what must become of p, which is new, since it is to be applied whole.
func (p post) asWhole() (verdict, error) {
	must, may, err := p.unfit()
	switch {
	case len(must) > 0:
		return refused, err
	case len(may) > 0:
		return undecided, err
	}
	return admitted, err
}

// body is p as JSON, sent at a time of the server's clock.
func (p post) body(now time.Time) ([]byte, error) {
	m := client.Meta{
		Client:     p.client,
		ClientType: "machine",
		BatchID:    p.id,
		PrevBatch:  p.prev,
		Clock:      maps.Clone(p.clock),
		CapturedAt: p.at,
	}
	if p.number > 0 {
		if m.Clock == nil {
			m.Clock = client.Clock{}
		}
		m.Clock[p.client] = p.number
		m.SentAt = now.Add(p.skew).UTC()
	}
	if p.by != "" {
		m.OnBehalfOf = firemode.UserID(p.user)
	}
	return json.Marshal(client.Submission{Changes: p.changes, Meta: m, Atomic: p.whole}, json.Deterministic(true))
}

// of makes the request for a batch that ph holds. The number is part of the key: phones that send
// out of order, copies of each other, may be given one fresh id for a batch that has another number
// on each.
func (ph *phone) of(b client.Batch) post {
	p := post{
		phone:   ph,
		user:    ph.user,
		key:     fmt.Sprint(b.Client, ":", b.Number, ":", b.ID),
		number:  b.Number,
		client:  b.Client,
		changes: b.Changes,
		id:      b.ID,
		prev:    b.PrevID,
		clock:   maps.Clone(b.Seen),
		at:      b.CapturedAt,
		skew:    ph.skew,
	}
	delete(p.clock, b.Client)
	if ph.plain {
		p.id, p.prev = "", ""
	}
	whole, asked := ph.whole[p.key]
	if p.whole = whole; asked && !whole {
		p.key += inParts
	}
	return p
}

// inParts ends the key of what was refused as a whole and is now sent change by change: that is
// another request. One that is late may still come to be applied under the key that it had.
const inParts = " in parts"

func (ph *phone) ofDraft(d draft) post {
	return post{phone: ph, user: ph.user, key: d.key, client: ph.Client, changes: d.changes, whole: d.whole}
}

// asWhole has what was recorded last be sent as a whole.
func (ph *phone) asWhole() {
	if ph.naive {
		ph.drafts[len(ph.drafts)-1].whole = true
		return
	}
	if ph.whole == nil {
		ph.whole = map[string]bool{}
	}
	ph.whole[ph.of(ph.Batches[len(ph.Batches)-1]).key] = true
}

// partly has what was refused as a whole be sent in parts.
func (ph *phone) partly(p post) {
	if ph.whole[p.key] {
		ph.whole[p.key] = false
	}
	for i := range ph.drafts {
		if d := &ph.drafts[i]; d.key == p.key && d.whole && !d.done {
			d.key, d.whole = d.key+inParts, false
		}
	}
}

// gaveUp reports whether p asks to be applied whole, and whoever made it has by now sent it in
// parts. Only a client that counts can then afford that p comes late.
func (ph *phone) gaveUp(p post) bool {
	return p.whole && ph.naive && slices.ContainsFunc(ph.drafts, func(d draft) bool { return d.key == p.key+inParts })
}

// pending are the requests that ph has still to make.
func (ph *phone) pending() []post {
	var all []post
	if ph.naive {
		for _, d := range ph.drafts {
			if !d.done {
				all = append(all, ph.ofDraft(d))
			}
		}
		return all
	}
	for _, b := range ph.Batches {
		if !b.Acknowledged || b.Doubted {
			all = append(all, ph.of(b))
		}
	}
	return all
}

// copied is ph as another phone that was set up from its backup.
func (ph *phone) copied() (*phone, error) {
	state, err := ph.Clone()
	c := *ph
	c.State, c.sent, c.drafts, c.whole = state, slices.Clone(ph.sent), slices.Clone(ph.drafts), maps.Clone(ph.whole)
	return &c, err
}

// heard has ph learn from the answer to p, which it made itself.
func (ph *phone) heard(p post, a answer) error {
	if a.status == http.StatusUnprocessableEntity {
		ph.partly(p)
		return nil
	}
	if a.status != 200 {
		var refusal client.Error
		if err := json.Unmarshal(a.body, &refusal); err != nil {
			return err
		}
		at := slices.IndexFunc(ph.Batches, func(b client.Batch) bool {
			return b.Client == p.client && b.Number == p.number && (!b.Acknowledged || b.Doubted) &&
				ph.of(b).content() == p.content()
		})
		if refusal.FreshClientID != "" && !ph.naive && at >= 0 {
			ph.Disown(ph.Batches[at])
			ph.Fork(refusal.FreshClientID)
		}
		return nil
	}
	if ph.naive {
		for i := range ph.drafts {
			ph.drafts[i].done = ph.drafts[i].done || ph.drafts[i].key == p.key
		}
		return nil
	}
	var r client.Receipt
	if err := a.into(&r); err != nil {
		return err
	}
	for _, b := range ph.Batches {
		if b.Client == p.client && b.Number == p.number {
			ph.Acknowledge(b, r)
		}
	}
	return nil
}
