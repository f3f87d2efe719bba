package machine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode/client"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge/mergetest"
)

// model is what a server must remember, gathered from nothing but what went over the wire. A backup
// of the server keeps a copy of it.
type model struct {
	known       map[ledger.BatchRef]known
	quarantined map[crdt.ActorID]string // content, by the fresh id that was given for it
	answers     map[string]stored       // by user and key
	delivered   map[crdt.ActorID]int64  // up to which number of the log documents were given to it
	clocks      map[crdt.ActorID]crdt.Clock
	parent      map[crdt.ActorID]crdt.ActorID
	may         map[ledger.BatchRef]crdt.Clock // what the writer of a batch can have seen of others at most
	must        map[ledger.BatchRef]crdt.Clock // and what it has seen, since it was given it and says so
	roots       map[int64][]byte               // of the tree at a size, from checkpoints
	completed   bool
}

// known is a batch that was acknowledged.
type known struct {
	content  string
	user, by string // whose it is, and who submitted it if that was another
	id, prev string
	key      string // of a naive client's
	statuses []string
	late     bool
}

// stored is the answer that a key has got.
type stored struct {
	fingerprint string
	body        []byte
}

func newModel() *model {
	return &model{
		known:       map[ledger.BatchRef]known{},
		quarantined: map[crdt.ActorID]string{},
		answers:     map[string]stored{},
		delivered:   map[crdt.ActorID]int64{},
		clocks:      map[crdt.ActorID]crdt.Clock{},
		parent:      map[crdt.ActorID]crdt.ActorID{},
		may:         map[ledger.BatchRef]crdt.Clock{},
		must:        map[ledger.BatchRef]crdt.Clock{},
		roots:       map[int64][]byte{},
	}
}

// copy returns what a backup of the server knows.
func (m *model) copy() *model {
	return &model{
		known:       maps.Clone(m.known),
		quarantined: maps.Clone(m.quarantined),
		answers:     maps.Clone(m.answers),
		delivered:   maps.Clone(m.delivered),
		clocks:      maps.Clone(m.clocks),
		parent:      maps.Clone(m.parent),
		may:         maps.Clone(m.may),
		must:        maps.Clone(m.must),
		roots:       maps.Clone(m.roots),
		completed:   m.completed,
	}
}

// held are the numbers of an actor that were acknowledged.
func (m *model) held(actor crdt.ActorID) (held crdt.Ranges) {
	for ref := range m.known {
		if ref.Actor == actor {
			held = held.Add(ref.Number)
		}
	}
	return held
}

// verdict is what must become of a request.
type verdict string

const (
	admitted  verdict = "admitted"
	duplicate verdict = "duplicate"
	forked    verdict = "forked"
	replayed  verdict = "replayed"
	forbidden verdict = "forbidden"
	refused   verdict = "refused as a whole"
	undecided verdict = "admitted or refused as a whole"
	reused    verdict = "its key was used for another request"
)

// judge says what must become of p: section 4 of the merge design once more.
func (m *model) judge(p post) verdict {
	if p.by != "" && p.by != "boss" {
		return forbidden
	}
	if was, answered := m.answers[p.slot()]; answered {
		if was.fingerprint == p.fingerprint() {
			return replayed
		}
		return reused
	}
	if p.number == 0 {
		return m.judgeNaive(p)
	}
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	at := func(n int64) known { return m.known[ledger.BatchRef{Actor: p.actor(), Number: n}] }
	same, here := m.known[ledger.BatchRef{Actor: p.actor(), Number: p.number}]
	switch {
	case here && same.content == p.content() && !differ(same.id, p.id):
		return duplicate
	case here,
		p.number > m.held(p.actor()).Prefix()+10_000,
		differ(p.prev, at(p.number-1).id),
		differ(at(p.number+1).prev, p.id):
		return forked
	}
	return admitted
}

func (m *model) judgeNaive(p post) verdict {
	for ref, k := range m.known {
		if ref.Actor == p.actor() && k.key == p.key {
			if k.content == p.content() {
				return duplicate
			}
			return reused
		}
	}
	return admitted
}

// hear has the model learn from an exchange, before which the facts were was. They are now only
// looked into for the number that the server gave to a naive client's batch.
func (m *model) hear(ex *exchange, was, now *mergetest.Facts) error {
	switch ex.verdict {
	case replayed, reused, forbidden, refused:
		return nil
	case forked:
		var refusal client.Error
		if err := json.Unmarshal(ex.answer.body, &refusal); err != nil {
			return err
		}
		m.fork(ex.post, crdt.ActorID(refusal.FreshClientID), was)
		return nil
	}
	var r client.Receipt
	if err := ex.answer.into(&r); err != nil {
		return err
	}
	m.answers[ex.slot()] = stored{ex.fingerprint(), ex.answer.body}
	if ex.verdict == admitted {
		m.admit(ex.post, r, was, now)
	}
	return nil
}

func (m *model) fork(p post, fresh crdt.ActorID, was *mergetest.Facts) {
	if fresh == "" {
		return // reported by i4
	}
	m.quarantined[fresh] = p.content()
	a, bound := was.Actors[fresh]
	if a.Parent == "" {
		m.parent[fresh] = p.actor() // also if it was there before: the server was restored, and finds out again
	}
	if !bound {
		m.delivered[fresh], m.clocks[fresh] = m.delivered[p.actor()], m.clocks[p.actor()]
	}
}

func (m *model) admit(p post, r client.Receipt, was, now *mergetest.Facts) {
	ref := ledger.BatchRef{Actor: p.actor(), Number: p.number}
	k := known{
		content: p.content(),
		user:    p.user,
		by:      p.submittedBy(),
		id:      p.id,
		prev:    p.prev,
		late:    r.Status == "late",
	}
	for _, c := range r.Results {
		k.statuses = append(k.statuses, c.Status)
	}
	m.may[ref], m.must[ref] = crdt.Clock{}, crdt.Clock{}
	if p.number == 0 {
		k.key = p.key
		if last := len(now.Log) - 1; last >= 0 {
			ref.Number = now.Log[last].Number
		}
		m.known[ref] = k
		return
	}
	m.known[ref] = k
	m.may[ref] = maps.Clone(m.clocks[p.actor()])
	if m.may[ref] == nil {
		m.may[ref] = crdt.Clock{}
	}
	for name, n := range p.clock {
		id := crdt.ActorID(name)
		if seen := min(n, m.clocks[p.actor()][id]); seen > 0 && len(p.clock) <= 4096 {
			m.must[ref][id] = seen
		}
	}
	if parent := m.parent[p.actor()]; parent != "" && p.number == 1 && p.prev != "" {
		m.may[ref][parent] = max(m.may[ref][parent], was.Runs(was.Head.Seq)[parent])
	}
}

// deliver notes that the document as of number seq, with that clock, was given to a client, or may
// have been.
func (m *model) deliver(id string, seq int64, clock client.Clock) {
	actor := crdt.ActorID(id)
	if id == "" || seq < m.delivered[actor] {
		return
	}
	m.delivered[actor], m.clocks[actor] = seq, crdt.Clock{}
	for name, n := range clock {
		m.clocks[actor][crdt.ActorID(name)] = n
	}
}

// parse reads changes as the server does.
func parse(content string) ([]crdt.Change, error) {
	var raw []jsontext.Value
	if err := json.Unmarshal([]byte(content), &raw); err != nil {
		return nil, err
	}
	return crdt.ParseChanges(raw)
}

// shownConflict is a conflict as the server has shown it to somebody.
type shownConflict struct {
	path client.Pointer
	dots []string
}

func shownOf(c client.Conflict) shownConflict {
	s := shownConflict{path: c.Path}
	for _, v := range c.Values {
		s.dots = append(s.dots, v.Dot)
	}
	slices.Sort(s.dots)
	s.dots = slices.Compact(s.dots)
	return s
}

func (s shownConflict) String() string { return fmt.Sprint(s.path, " ", s.dots) }
