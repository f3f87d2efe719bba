package sessions

import (
	"bytes"
	"slices"
	"strings"

	"firemode"
	"firemode/internal/crdt"

	"github.com/go-json-experiment/json/jsontext"
)

// writeDelta writes what changed after a cursor: the current values at the changed paths, the paths that show nothing any more,
// and every conflict that is open at, above or below one of these. A client that takes it drops what it has at the removed paths, puts
// each value of the document in the place of whatever it has there, and replaces the conflicts at, above and below all of them.
func (d *document) writeDelta(q Query) (View, error) {
	since := *q.Since
	if err := d.checkCursor(since); err != nil {
		return View{}, err
	}
	limit := defaultDelta
	if q.Limit > 0 {
		limit = min(q.Limit, maxDelta)
	}
	changed, until, err := d.tx.ChangedPaths(d.ctx, d.ref, since.Seq, d.head.Seq, limit)
	if err != nil {
		return View{}, err
	}
	state, err := d.around(changed)
	if err != nil {
		return View{}, err
	}
	view, err := d.view(until)
	if err != nil {
		return view, err
	}
	if view.Complete = until == d.head.Seq; !view.Complete {
		view.Cursor.From, view.Cursor.Client = since.seenFrom(q.Client), q.Client
	}
	if err := d.sink.Begin(view); err != nil {
		return view, err
	}
	tops := topsOf(state, changed)
	if err := d.writeChanged(state, tops); err != nil {
		return view, err
	}
	if err := d.writeConflicts(state, tops); err != nil {
		return view, err
	}
	for _, p := range changed {
		if showsNothing(state, p) {
			if err := d.sink.Removed(p); err != nil {
				return view, err
			}
		}
	}
	return view, d.late(d.head.Seq)
}

func (d *document) checkCursor(c Cursor) error {
	if c.Session != d.ref.Session {
		return firemode.Malformed("the cursor is one of another session")
	}
	gone := firemode.Gone("the cursor is from before the server was restored; fetch the whole document again")
	if c.Epoch != d.head.Epoch || c.Seq > d.head.Seq {
		return gone
	}
	now, err := d.cursor(c.Seq)
	if err == nil && !bytes.Equal(now.Hash, c.Hash) {
		return gone
	}
	return err
}

// around reads what is live at, above and below the changed paths, and below whatever is live above them.
func (d *document) around(changed []crdt.Pointer) (*crdt.State, error) {
	merged, err := chains(d.ctx, d.tx, d.ref)
	if err != nil {
		return nil, err
	}
	state := crdt.NewState(merged)
	if len(changed) == 0 {
		return state, nil
	}
	above := withAncestors(changed)
	if err := d.load(state, above, changed); err != nil {
		return nil, err
	}
	inhabited := slices.DeleteFunc(above, func(p crdt.Pointer) bool { return len(state.Live(p)) == 0 || slices.Contains(changed, p) })
	if len(inhabited) == 0 {
		return state, nil
	}
	return state, d.load(state, nil, inhabited)
}

func (d *document) load(state *crdt.State, at, below []crdt.Pointer) error {
	live, err := d.tx.LiveOps(d.ctx, d.ref, at, below)
	for _, op := range live {
		state.Load(op)
	}
	return err
}

// topsOf returns, in order of the tree and each once, below which paths what is shown may have changed: a change below a live
// value may hide or uncover everything beside it.
func topsOf(state *crdt.State, changed []crdt.Pointer) []crdt.Pointer {
	var tops []crdt.Pointer
	for _, p := range changed {
		top := p
		for _, above := range p.Ancestors() {
			if len(state.Live(above)) > 0 {
				top = above
			}
		}
		tops = append(tops, top)
	}
	slices.SortFunc(tops, func(a, b crdt.Pointer) int { return strings.Compare(a.Key(), b.Key()) })
	kept := tops[:0]
	for _, p := range tops {
		if len(kept) == 0 || !kept[len(kept)-1].Holds(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

// writeChanged writes the document of what is at and below tops alone.
func (d *document) writeChanged(state *crdt.State, tops []crdt.Pointer) error {
	shown := crdt.NewState(func(crdt.ActorID) crdt.Ranges { return nil })
	for _, p := range tops {
		for _, r := range state.Readings(p) {
			shown.Load(crdt.Op{Dot: crdt.Dot{Actor: "delta", Batch: 1}, Path: r.Path, Kind: crdt.Set, Value: r.Value})
		}
	}
	_, err := d.sink.Write(shown.Document())
	return err
}

// writeConflicts writes every conflict that is open at, above or below tops.
func (d *document) writeConflicts(state *crdt.State, tops []crdt.Pointer) error {
	written := map[crdt.Pointer]bool{}
	for _, p := range tops {
		var open []crdt.Conflict
		for _, above := range slices.Backward(p.Ancestors()) {
			if c, ok := state.Conflict(above, d.head.Key); ok && !written[above] {
				open = append(open, c)
			}
		}
		for _, c := range append(open, state.Conflicts(p, d.head.Key)...) {
			written[c.Path] = true
			if err := d.sink.Conflict(newConflict(c, 0)); err != nil {
				return err
			}
		}
	}
	return nil
}

// showsNothing reports whether the document has nothing at p, below it or above it.
func showsNothing(state *crdt.State, p crdt.Pointer) bool {
	if len(state.Readings(p)) > 0 {
		return false
	}
	return !slices.ContainsFunc(p.Ancestors(), func(above crdt.Pointer) bool {
		_, shown := state.Shown(above)
		return shown
	})
}

// quote returns s as a JSON string.
func quote(s string) []byte {
	quoted, _ := jsontext.AppendQuote(nil, s) // paths are valid UTF-8, see crdt.ParsePointer
	return quoted
}
