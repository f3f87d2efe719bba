package sessions

import (
	"bytes"
	"fmt"
	"strings"

	"firemode/internal/crdt"
)

// writeWhole writes everything that was live at number seq, part by part: what is below one second-level path, such as an item,
// is in memory at a time, unless something is live above it, which makes its first-level path the part. It returns the conflicts.
func (d *document) writeWhole(seq int64) ([]crdt.Conflict, error) {
	merged, err := chains(d.ctx, d.tx, d.ref)
	if err != nil {
		return nil, err
	}
	w := &parts{document: d, chains: merged, historic: seq != d.head.Seq}
	if _, err := d.sink.Write([]byte{'{'}); err != nil {
		return nil, err
	}
	if err := d.eachLive(seq, w.add); err != nil {
		return nil, err
	}
	if err := w.close(); err != nil {
		return nil, err
	}
	_, err = d.sink.Write([]byte{'}'})
	return w.conflicts, err
}

// eachLive calls fn for what was live at number seq; before the first entry that is nothing.
func (d *document) eachLive(seq int64, fn func(crdt.Op) error) error {
	switch seq {
	case 0:
		return nil
	case d.head.Seq:
		seq = 0 // now
	}
	return d.tx.EachLiveOp(d.ctx, d.ref, seq, fn)
}

// parts cuts a walk over live operations, in the order of the tree, into parts, and writes each when it is whole.
type parts struct {
	*document
	chains    func(crdt.ActorID) crdt.Ranges
	historic  bool // contested marks are those of now and must be made anew
	conflicts []crdt.Conflict

	top   string // first segment of the part
	part  crdt.Pointer
	state *crdt.State
	open  string // first-level member whose object is being written, "" for none
	wrote bool   // something is in the document
	inner bool   // something is in the open object
}

func (w *parts) add(op crdt.Op) error {
	segments := op.Path.Segments()
	part := crdt.Pointer("/" + segments[0])
	wholeTop := w.part == part // something is live at the first level: all below belongs together
	if len(segments) > 1 && !wholeTop {
		part += crdt.Pointer("/" + segments[1])
	}
	if part != w.part {
		if err := w.flush(); err != nil {
			return err
		}
		w.part, w.top, w.state = part, segments[0], crdt.NewState(w.chains)
	}
	w.state.Load(op)
	return nil
}

// flush writes the part that is whole now.
func (w *parts) flush() error {
	if w.state == nil {
		return nil
	}
	if w.historic {
		w.state.Recontest()
	}
	w.conflicts = append(w.conflicts, w.state.Conflicts(w.part, w.head.Key)...)
	var out bytes.Buffer
	second := strings.Count(string(w.part), "/") == 2
	if !second {
		if err := w.shut(); err != nil {
			return err
		}
		if !w.state.WriteMembers(&out, "") {
			return nil
		}
		err := w.comma(&w.wrote)
		if err == nil {
			_, err = w.sink.Write(out.Bytes())
		}
		return err
	}
	if !w.state.WriteMembers(&out, crdt.Pointer("/"+w.top)) {
		return nil
	}
	if err := w.enter(w.top); err != nil {
		return err
	}
	if err := w.comma(&w.inner); err != nil {
		return err
	}
	_, err := w.sink.Write(out.Bytes())
	return err
}

// enter opens the object of a first-level member.
func (w *parts) enter(top string) error {
	if w.open == top {
		return nil
	}
	if err := w.shut(); err != nil {
		return err
	}
	if err := w.comma(&w.wrote); err != nil {
		return err
	}
	w.open, w.inner = top, false
	_, err := fmt.Fprintf(w.sink, "%s:{", quote(crdt.Unescape(top)))
	return err
}

func (w *parts) shut() error {
	if w.open == "" {
		return nil
	}
	w.open = ""
	_, err := w.sink.Write([]byte{'}'})
	return err
}

func (w *parts) comma(after *bool) error {
	if !*after {
		*after = true
		return nil
	}
	_, err := w.sink.Write([]byte{','})
	return err
}

func (w *parts) close() error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.shut()
}
