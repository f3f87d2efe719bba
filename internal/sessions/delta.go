package sessions

import (
	"bytes"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/store"
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
	changed, until, err := store.As[store.OpReader](d.tx).ChangedPaths(d.ctx, d.ref, since.Seq, d.head.Seq, limit)
	if err != nil {
		return View{}, err
	}
	region, err := d.regionOf(changed)
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
	v := vacancyOf(changed)
	err = d.write(region.pass, func(r crdt.Reading) error {
		v.leaf(r.Path)
		return d.sink.Leaf(r)
	})
	if err != nil {
		return view, err
	}
	for _, p := range v.vacant() {
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
