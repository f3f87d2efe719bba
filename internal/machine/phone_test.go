package machine

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"firemode/internal/client"
	"firemode/internal/crdt"
)

// phone is one client, driven a request at a time. What it remembers is what the Go client of docs/sync.md does.
type phone struct {
	client.State
	user  string
	naive bool // does not count: Client may be "", and what it records is in drafts
	plain bool // gives its batches no ids
	skew  time.Duration

	drafts []draft // of a naive phone
	sent   []post  // requests that were made, oldest first
}

// draft is what a naive phone wants to get rid of: the key is all that tells it from another.
type draft struct {
	key     string
	changes []client.Change
	done    bool
}

// post is a POST of results before it is put on the wire.
type post struct {
	phone   *phone
	user    string
	key     string
	number  int64 // 0 when the server counts
	client  string
	changes []client.Change
	id      string
	prev    string
	clock   crdt.Clock // foreign entries, true or forged
	at      time.Time  // captured
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

// fingerprint is what the same key must not be used for twice.
func (p post) fingerprint() string { return fmt.Sprint(p.client, " ", p.number, " ", p.content()) }

// body is p as JSON, sent at a time of the server's clock.
func (p post) body(now time.Time) ([]byte, error) {
	m := client.Meta{Client: p.client, ClientType: "machine", BatchID: p.id, PrevBatch: p.prev, Clock: maps.Clone(p.clock), CapturedAt: p.at}
	if p.number > 0 {
		if m.Clock == nil {
			m.Clock = crdt.Clock{}
		}
		m.Clock[crdt.ActorID(p.client)] = p.number
		m.SentAt = now.Add(p.skew).UTC()
	}
	return json.Marshal(client.Submission{Changes: p.changes, Meta: m}, json.Deterministic(true))
}

// of makes the request for a batch that ph holds. The number is part of the key: phones that send out of order, copies of each other, may be
// given one fresh id for a batch that has another number on each.
func (ph *phone) of(b client.Batch) post {
	p := post{
		phone: ph, user: ph.user, key: fmt.Sprint(b.Client, ":", b.Number, ":", b.ID), number: b.Number, client: b.Client, changes: b.Changes, id: b.ID, prev: b.PrevID,
		clock: maps.Clone(b.Seen), at: b.CapturedAt, skew: ph.skew,
	}
	delete(p.clock, crdt.ActorID(b.Client))
	if ph.plain {
		p.id, p.prev = "", ""
	}
	return p
}

func (ph *phone) ofDraft(d draft) post {
	return post{phone: ph, user: ph.user, key: d.key, client: ph.Client, changes: d.changes}
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
	c.State, c.sent, c.drafts = state, slices.Clone(ph.sent), slices.Clone(ph.drafts)
	return &c, err
}

// heard has ph learn from the answer to p.
func (ph *phone) heard(p post, a answer) error {
	if a.status != 200 {
		var refusal client.Error
		if err := json.Unmarshal(a.body, &refusal); err != nil {
			return err
		}
		at := slices.IndexFunc(ph.Batches, func(b client.Batch) bool {
			return b.Client == p.client && b.Number == p.number && (!b.Acknowledged || b.Doubted) && ph.of(b).content() == p.content()
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
