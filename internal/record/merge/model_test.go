package merge_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge/mergetest"
)

// model is what a server must remember, kept beside the real one: which batches it holds, what it
// answered, what it showed to whom.
type model struct {
	known     map[crdt.ActorID]map[int64]crdt.Known
	keyed     map[string]int64  // the numbers that the server gave, by actor and key
	answers   map[string]stored // by user and key
	delivered map[crdt.ActorID]int64
	parent    map[crdt.ActorID]crdt.ActorID
	open      []ledger.Conflict // as last shown
	shown     []ledger.Conflict // ever
	ids       map[string]string // of a conflict, by what is in it
}

// stored is the answer that a key has got.
type stored struct{ request, receipt string }

func newModel() *model {
	return &model{
		known: map[crdt.ActorID]map[int64]crdt.Known{}, keyed: map[string]int64{}, answers: map[string]stored{},
		delivered: map[crdt.ActorID]int64{},
		parent:    map[crdt.ActorID]crdt.ActorID{}, ids: map[string]string{},
	}
}

// seen is the clock that was delivered to an actor.
func (m *model) seen(f *mergetest.Facts, actor crdt.ActorID) crdt.Clock {
	if f == nil {
		return crdt.Clock{}
	}
	return f.Runs(m.delivered[actor])
}

func (m *model) held(actor crdt.ActorID) crdt.Ranges {
	var held crdt.Ranges
	for n := range m.known[actor] {
		held = held.Add(n)
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
	reused    verdict = "its key was used for another request"
)

// judge says what must become of a request, from what was held before it. key is under which its
// answer is kept.
func (m *model) judge(one post) (v verdict, key, request string) {
	key = string(one.By.User) + " " + one.Key
	request = fmt.Sprintf(
		"%s %d %x %s %t",
		one.Meta.Client,
		one.draft.number,
		crdt.Content(one.Changes),
		one.user(),
		one.Atomic,
	)
	if was, answered := m.answers[key]; answered {
		if was.request == request {
			return replayed, key, request
		}
		return reused, key, request
	}
	if !one.numbered() {
		return m.judgeNaive(one), key, request
	}
	known := func(n int64) *crdt.Known {
		if k, held := m.known[one.writer()][n]; held {
			return &k
		}
		return nil
	}
	n := one.draft.number
	switch crdt.Decide(one.posted(), m.held(one.writer()), known(n), known(n-1), known(n+1)) {
	case crdt.Duplicate:
		return duplicate, key, request
	case crdt.Fork:
		return forked, key, request
	}
	return admitted, key, request
}

// judgeNaive says what must become of a request whose batch the server counts: the key is all that
// tells it from another.
func (m *model) judgeNaive(one post) verdict {
	n, held := m.keyed[one.slot()]
	switch {
	case !held:
		return admitted
	case m.known[one.writer()][n].Content == crdt.Content(one.Changes):
		return duplicate
	}
	return reused
}

// slot is what tells a batch that the server counts from others.
func (one post) slot() string { return fmt.Sprint(one.writer(), " ", one.Key) }

// numberOf is the number of a request that was admitted.
func (m *model) numberOf(one post) int64 {
	if one.numbered() {
		return one.draft.number
	}
	return m.keyed[one.slot()]
}

func (one post) numbered() bool { return one.Meta.Clock[crdt.ActorID(one.Meta.Client)] > 0 }

// writer is the actor whose batch a request is.
func (one post) writer() crdt.ActorID {
	if one.numbered() {
		return crdt.ActorID(one.Meta.Client)
	}
	return crdt.NaiveActor(one.Meta.Client, string(one.user()))
}

func (one post) posted() crdt.Posted {
	return crdt.Posted{
		Actor:   one.writer(),
		Number:  one.draft.number,
		ID:      one.draft.id,
		PrevID:  one.draft.prev,
		Content: crdt.Content(one.Changes),
	}
}

// hear compares an answer with what it must be, and has the phone and the model learn from it.
// entry is the log entry that is next; used tells whether the request made it.
func (p *play) hear(f *mergetest.Facts, ex exchange, entry int) (used bool, err error) {
	m := p.model
	v, key, request := m.judge(ex.post)
	receipt, _ := json.Marshal(ex.answer.Receipt)
	fresh, conflict := freshOf(ex.answer.Err)
	if bad := p.unfit(f, ex, int64(entry)); v == admitted && ex.Atomic && len(bad) > 0 {
		if !ex.resent {
			ex.phone.inParts(ex.post)
		}
		return false, refusedFor(ex.answer.Err, bad)
	}
	switch v {
	case replayed:
		if ex.answer.Err != nil || !ex.answer.Replayed || string(receipt) != m.answers[key].receipt {
			return false, fmt.Errorf(
				"replayed: %v %v\n%s, want\n%s",
				ex.answer.Replayed,
				ex.answer.Err,
				receipt,
				m.answers[key].receipt,
			)
		}
		return false, nil
	case reused:
		if !conflict || fresh != "" {
			return false, fmt.Errorf("a used key: %v", ex.answer.Err)
		}
		return false, nil
	case forked:
		want := crdt.FreshActor(secret, ex.posted())
		if !conflict || fresh != want {
			return false, fmt.Errorf("forked: %v with %q, want %q", ex.answer.Err, fresh, want)
		}
		m.fork(ex.writer(), fresh)
		if !ex.resent {
			ex.phone.goOn(string(fresh), ex.draft)
		}
		return false, nil
	}
	if ex.answer.Err != nil || ex.answer.Replayed {
		return false, fmt.Errorf("%s: %v, replayed %v", v, ex.answer.Err, ex.answer.Replayed)
	}
	m.answers[key] = stored{request, string(receipt)}
	if !ex.resent {
		ex.phone.sent = append(ex.phone.sent, ex.post)
	}
	if v == duplicate {
		return false, p.acknowledged(f, ex, int64(entry))
	}
	if entry >= len(f.Log) {
		return true, fmt.Errorf("an acknowledged batch is not in the log")
	}
	return true, p.admitted(f, ex, entry)
}

// unfit are the changes of a request that cannot be applied when the log ends at seq, in the words
// of a refusal.
func (p *play) unfit(f *mergetest.Facts, ex exchange, seq int64) (fields []string) {
	if !ex.Atomic {
		return nil
	}
	before := f.History(seq).State()
	for c := range ex.Changes {
		if !acceptable(f, ex, c, before, p.model) {
			fields = append(fields, fmt.Sprintf("changes[%d]", c))
		}
	}
	return fields
}

// refusedFor holds that a batch was refused as a whole, and for what.
func refusedFor(err error, fields []string) error {
	e, ok := err.(*firemode.Error)
	if !ok || e.Code != firemode.CodeInvalid {
		return fmt.Errorf("refused as a whole for %v: %v", fields, err)
	}
	var named []string
	for _, d := range e.Details {
		named = append(named, d.Field)
	}
	return mergetest.Same("refused as a whole for", named, fields)
}

// freshOf returns the id in a conflict's error, and whether it is one.
func freshOf(err error) (crdt.ActorID, bool) {
	if err == nil || firemode.CodeOf(err) != firemode.CodeConflict {
		return "", false
	}
	e, ok := err.(*firemode.Error)
	if !ok {
		return "", false
	}
	return crdt.ActorID(e.FreshClientID), true
}

func (m *model) fork(parent, fresh crdt.ActorID) {
	if _, known := m.parent[fresh]; !known {
		m.parent[fresh], m.delivered[fresh] = parent, m.delivered[parent]
	}
}

func (m *model) admit(actor crdt.ActorID, number int64, k crdt.Known) {
	if m.known[actor] == nil {
		m.known[actor] = map[int64]crdt.Known{}
	}
	m.known[actor][number] = k
}

// context is what the writer of an admitted batch had seen of others, and what of that its clock
// says, for log entry seq.
func (m *model) context(f *mergetest.Facts, one post, seq int64) (context, clamped crdt.Clock, cut bool) {
	clamped = crdt.Clock{}
	if !one.numbered() {
		return clamped, clamped, false
	}
	seen := m.seen(f, one.writer())
	for id, n := range one.Meta.Clock {
		if id == one.writer() || n == 0 {
			continue
		}
		if seen := min(n, seen[id]); seen > 0 {
			clamped[id] = seen
		}
		cut = cut || seen[id] < n
	}
	context = maps.Clone(clamped)
	parent := m.parent[one.writer()]
	if parent == "" || one.draft.number != 1 || one.draft.prev == "" {
		return context, clamped, cut
	}
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(m.known[parent]))) {
		if m.known[parent][n].ID == one.draft.prev && n <= f.Numbers(parent, seq-1).Prefix() && seq > 1 {
			context[parent] = max(context[parent], n)
			break
		}
	}
	return context, clamped, cut
}
