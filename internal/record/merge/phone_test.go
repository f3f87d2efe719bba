package merge_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
)

// phone is one client: it counts its batches, unless it cannot, and keeps those that it has not
// sent.
type phone struct {
	by     firemode.Principal
	client string
	counts bool
	ids    bool // gives its batches ids
	last   int64
	lastID string
	wrote  []crdt.OpID // everything, in order, sent or not
	held   []draft
	sent   []post
	cursor *view.Cursor
}

// draft is a batch on a phone.
type draft struct {
	number   int64 // 0 when the phone does not count
	id, prev string
	clock    crdt.Clock // foreign entries as claimed
	changes  []change
	whole    bool   // all of it or nothing
	key      string // of what was refused as a whole, "" for a new one
	captured time.Time
	sentAt   time.Time
}

// change is the members of a change in the order in which they are written.
type change []member

type member struct {
	name  string
	value any
}

// text writes a change; odd is another spelling of the same.
func (c change) text(odd bool) jsontext.Value {
	var parts []string
	for _, m := range c {
		value, err := json.Marshal(m.value)
		if err != nil {
			panic(err) // strings and JSON only
		}
		part := fmt.Sprintf("%q:%s", m.name, value)
		if odd {
			part = strings.ReplaceAll(part, "12.50", "1250e-2")
			part = fmt.Sprintf(" %s ", strings.ReplaceAll(part, `"set"`, `"\u0073et"`))
		}
		parts = append(parts, part)
	}
	if odd {
		slices.Reverse(parts)
	}
	return jsontext.Value("{" + strings.Join(parts, ",") + "}")
}

// parsed reads the changes of d as the server does.
func (d draft) parsed(odd bool) []crdt.Change {
	raw := make([]jsontext.Value, len(d.changes))
	for i, c := range d.changes {
		raw[i] = c.text(odd)
	}
	changes, err := crdt.ParseChanges(raw)
	if err != nil {
		panic(err) // the members are spelt right
	}
	return changes
}

// post is one request.
type post struct {
	merge.Post
	phone  *phone
	draft  draft
	resent bool // not the first attempt: whatever the answer is, the phone goes on as before
}

// post makes the request for a draft. d.number 0 leaves the counting to the server.
func (ph *phone) post(d draft, key string, odd bool) post {
	meta := merge.Meta{
		Client: ph.client, ClientType: "tablet", BatchID: d.id, PrevBatch: d.prev, Clock: maps.Clone(d.clock),
		CapturedAt: d.captured, SentAt: d.sentAt,
	}
	if d.number > 0 {
		meta.Clock[crdt.ActorID(ph.client)] = d.number
	}
	return post{
		Post: merge.Post{
			By:         ph.by,
			Submission: merge.Submission{Session: "visit", Key: key, Changes: d.parsed(odd), Atomic: d.whole, Meta: meta},
		},
		phone: ph,
		draft: d,
	}
}

// onBehalf is the same request as a manager makes it for its user. The phone does not hear of it.
func (one post) onBehalf(manager firemode.Principal) post {
	one.By, one.Meta.OnBehalfOf, one.resent = manager, one.By.User, true
	return one
}

// user is whose work is submitted.
func (one post) user() firemode.UserID { return cmp.Or(one.Meta.OnBehalfOf, one.By.User) }

// actor is who the phone is to the server when it counts or does not.
func (ph *phone) actor(counts bool) crdt.ActorID {
	if counts {
		return crdt.ActorID(ph.client)
	}
	return crdt.NaiveActor(ph.client, string(ph.by.User))
}

// keep numbers a draft, and puts it among those to be sent.
func (ph *phone) keep(d draft, id string) {
	ph.last++
	d.number, d.prev = ph.last, ph.lastID
	if ph.ids {
		d.id, ph.lastID = id, id
	}
	for i, c := range d.parsed(false) {
		if c.Rejected != "" {
			continue
		}
		b := crdt.Batch{Actor: ph.actor(true), Number: d.number, Changes: []crdt.Change{c}}
		for _, op := range b.Ops(0, crdt.Stamp{}) {
			op.Index = i
			ph.wrote = append(ph.wrote, op.ID())
		}
	}
	ph.held = append(ph.held, d)
}

// goOn numbers what is not acknowledged anew, under the id that the server gave, first what it
// refused.
func (ph *phone) goOn(fresh string, refused draft) {
	ph.client, ph.last = fresh, 0
	ph.held = append([]draft{refused}, ph.held...)
	for i := range ph.held {
		ph.last++
		ph.held[i].number = ph.last
		delete(ph.held[i].clock, crdt.ActorID(fresh))
	}
}

// inParts keeps what was refused as a whole, to send each change of it for itself. Nothing is kept
// under the key, which may be used again.
func (ph *phone) inParts(one post) {
	d := one.draft
	d.whole, d.key = false, one.Key
	ph.held = append([]draft{d}, ph.held...)
}

// copyFrom returns a phone restored from its backup of back batches ago.
func (ph *phone) copyFrom(back int64) *phone {
	c := *ph
	c.last = max(0, ph.last-back)
	c.held = slices.DeleteFunc(slices.Clone(ph.held), func(d draft) bool { return d.number > c.last })
	c.lastID = ""
	for _, s := range ph.sent {
		if s.draft.number == c.last {
			c.lastID = s.draft.id
		}
	}
	c.sent, c.wrote = slices.Clone(ph.sent), slices.Clone(ph.wrote)
	return &c
}
