package sessions

import (
	"bytes"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/crdt"

	"github.com/go-json-experiment/json/jsontext"
)

// writeDelta writes what changed after a cursor: the current values at the changed paths, the paths that show nothing any more,
// and every conflict that is open at or above a changed path. A client that takes it replaces what it has at those paths.
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
	state, conflicted, err := d.around(changed)
	if err != nil {
		return View{}, err
	}
	view, err := d.begin(until, until == d.head.Seq)
	if err != nil {
		return view, err
	}
	removed, err := d.writeChanged(state, changed)
	if err != nil {
		return view, err
	}
	for _, p := range conflicted {
		if c, open := state.Conflict(p, d.head.Key); open {
			if err := d.sink.Conflict(newConflict(c, 0)); err != nil {
				return view, err
			}
		}
	}
	for _, p := range removed {
		if err := d.sink.Removed(p); err != nil {
			return view, err
		}
	}
	return view, d.late()
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

// around reads what is live at, above and below the changed paths, and returns the paths at which conflicts may be.
func (d *document) around(changed []crdt.Pointer) (*crdt.State, []crdt.Pointer, error) {
	merged, err := chains(d.ctx, d.tx, d.ref)
	if err != nil {
		return nil, nil, err
	}
	state := crdt.NewState(merged)
	if len(changed) == 0 {
		return state, nil, nil
	}
	above := withAncestors(changed)
	live, err := d.tx.LiveOps(d.ctx, d.ref, above, changed)
	if err != nil {
		return nil, nil, err
	}
	below := map[crdt.Pointer]bool{}
	for _, op := range live {
		state.Load(op)
	}
	for _, p := range above {
		if len(state.Live(p)) > 0 && !slices.Contains(changed, p) {
			below[p] = true
		}
	}
	if len(below) > 0 {
		all, err := d.tx.LiveOps(d.ctx, d.ref, nil, slices.Sorted(maps.Keys(below)))
		if err != nil {
			return nil, nil, err
		}
		for _, op := range all {
			state.Load(op)
		}
	}
	slices.SortFunc(above, func(a, b crdt.Pointer) int { return bytes.Compare([]byte(a.Key()), []byte(b.Key())) })
	return state, above, nil
}

// writeChanged writes the document of the changed paths alone, and returns those that show nothing.
func (d *document) writeChanged(state *crdt.State, changed []crdt.Pointer) ([]crdt.Pointer, error) {
	shown := crdt.NewState(func(crdt.ActorID) crdt.Ranges { return nil })
	var removed []crdt.Pointer
	for i, p := range changed {
		readings := state.Readings(p)
		for _, above := range p.Ancestors() {
			if v, ok := state.Shown(above); ok { // a value above shows instead
				readings = []crdt.Reading{{Path: above, Value: v}}
			}
		}
		if len(readings) == 0 {
			removed = append(removed, p)
		}
		for _, r := range readings {
			shown.Load(crdt.Op{Dot: crdt.Dot{Actor: "delta", Batch: int64(i) + 1}, Path: r.Path, Kind: crdt.Set, Value: r.Value})
		}
	}
	_, err := d.sink.Write(shown.Document())
	return removed, err
}

// quote returns s as a JSON string.
func quote(s string) []byte {
	quoted, _ := jsontext.AppendQuote(nil, s) // paths are valid UTF-8, see crdt.ParsePointer
	return quoted
}
