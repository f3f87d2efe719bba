package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
)

// TestResults_ReplicasConverge holds that deltas, however many and however small, come to the
// document and the conflicts of a full GET, over random small histories with gaps and late batches
// of the same client.
func TestResults_ReplicasConverge(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, w *world) {
		w.t = t
		w.staff("tech1", "technician")
		w.staff("tech2", "technician")
		w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings",
			`{"building_id":"b","site_name":"B","site_address":"S"}`))
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			v := &visit{world: w, id: w.session(t, fmt.Sprintf("h%d", n))}
			v.history(r, newReplica(v))
		})
	})
}

// replica is what a client that follows a session by deltas has.
type replica struct {
	document  map[string]any
	conflicts map[string]string // by path, see conflict.String
	cursor    string
	pages     int
}

// follow brings r up to date, page by page.
func (r *replica) follow(v *visit, limit int) {
	v.t.Helper()
	for {
		page := v.pullFrom("engineer", "", fmt.Sprintf("/results?since=%s&limit=%d", r.cursor, limit))
		r.take(v.t, page)
		if page.Complete {
			return
		}
	}
}

// take applies one page as a client must.
func (r *replica) take(t testing.TB, page merged) {
	t.Helper()
	leaves := leavesOf(t, "", page.Document)
	for _, p := range page.Removed {
		r.drop(p)
		r.forget(p)
	}
	for _, leaf := range leaves {
		r.forget(leaf.path)
		r.put(leaf.path, leaf.value)
	}
	for _, c := range page.Conflicts {
		r.conflicts[c.Path] = c.String()
	}
	r.cursor = page.Cursor
	r.pages++
}

// forget drops the conflicts at, above and below p.
func (r *replica) forget(p string) {
	for q := range r.conflicts {
		if crdt.Pointer(p).Holds(crdt.Pointer(q)) || crdt.Pointer(q).Holds(crdt.Pointer(p)) {
			delete(r.conflicts, q)
		}
	}
}

func (r *replica) put(p string, v any) {
	at := r.document
	segments := crdt.Pointer(p).Segments()
	last := len(segments) - 1
	for _, s := range segments[:last] {
		below, ok := at[crdt.Unescape(s)].(map[string]any)
		if !ok {
			below = map[string]any{}
			at[crdt.Unescape(s)] = below
		}
		at = below
	}
	at[crdt.Unescape(segments[last])] = v
}

// drop removes p, and what holds nothing any more without it.
func (r *replica) drop(p string) {
	at := []map[string]any{r.document}
	segments := crdt.Pointer(p).Segments()
	for _, s := range segments[:len(segments)-1] {
		below, ok := at[len(at)-1][crdt.Unescape(s)].(map[string]any)
		if !ok {
			return
		}
		at = append(at, below)
	}
	for i, parent := range slices.Backward(at) {
		delete(parent, crdt.Unescape(segments[i]))
		if len(parent) > 0 {
			return
		}
	}
}

type leaf struct {
	path  string
	value any
}

// leavesOf takes a document apart; an object is never a value of it.
func leavesOf(t testing.TB, at crdt.Pointer, text jsontext.Value) (all []leaf) {
	t.Helper()
	if text.Kind() != '{' {
		var v any
		must(t, json.Unmarshal(text, &v))
		return []leaf{{string(at), v}}
	}
	var members map[string]jsontext.Value
	must(t, json.Unmarshal(text, &members))
	for name, member := range members {
		all = append(all, leavesOf(t, at.Child(name), member)...)
	}
	return all
}

// wantWhole wants r to be what a full GET answers.
func (r *replica) wantWhole(t testing.TB, whole merged) {
	t.Helper()
	var document map[string]any
	must(t, json.Unmarshal(whole.Document, &document))
	same(t, r.document, document)
	conflicts := map[string]string{}
	for _, c := range whole.Conflicts {
		conflicts[c.Path] = c.String()
	}
	same(t, r.conflicts, conflicts)
	same(t, r.cursor, whole.Cursor)
}

func newReplica(v *visit) *replica {
	r := &replica{document: map[string]any{}, conflicts: map[string]string{}}
	r.take(v.t, v.pull("engineer", ""))
	return r
}

var replicaPaths = []string{"/a", "/a/b", "/a/b/c", "/a/d", "/e"}

// history lets three clients write, in and out of order, while f follows.
func (v *visit) history(r *rapid.T, f *replica) {
	a, b := v.pair()
	clients := []*tablet{a, b, v.tablet("tech1", "c")}
	skipped := map[*tablet]int64{}
	path := rapid.SampledFrom(replicaPaths)
	for range rapid.IntRange(1, 12).Draw(r, "steps") {
		p := rapid.SampledFrom(clients).Draw(r, "client")
		switch rapid.IntRange(0, 9).Draw(r, "step") {
		case 0:
			p.look()
		case 1, 2:
			f.follow(v, rapid.IntRange(1, 4).Draw(r, "limit"))
			f.wantWhole(v.t, v.pull("engineer", ""))
		case 3:
			if skipped[p] == 0 {
				p.number++
				skipped[p] = p.number
			}
		case 4:
			if n := skipped[p]; n > 0 {
				skipped[p] = 0
				v.send(p.user, p.batch(n, v.change(r, path)))
			}
		default:
			p.write(v.change(r, path), v.change(r, path))
		}
	}
	f.follow(v, 3)
	f.wantWhole(v.t, v.pull("engineer", ""))
}

// change draws one change. A resolve is of a conflict that is open.
func (v *visit) change(r *rapid.T, path *rapid.Generator[string]) string {
	at := path.Draw(r, "path")
	switch rapid.IntRange(0, 6).Draw(r, "op") {
	case 0:
		return remove(at)
	case 1:
		return increment(at, "1")
	case 2:
		return appendTo(at, "1")
	case 3:
		open := v.pull("engineer", "").Conflicts
		if len(open) > 0 {
			c := open[rapid.IntRange(0, len(open)-1).Draw(r, "conflict")]
			return resolve(c, rapid.SampledFrom([]string{"", "7"}).Draw(r, "answer"), c.dots()...)
		}
	}
	return set(at, rapid.SampledFrom([]string{"1", "2", `{"b":3}`}).Draw(r, "value"))
}
