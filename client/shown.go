package client

import (
	"cmp"
	"maps"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/crdt"
)

// Show takes over one page that the server gave for this client: the whole document, or what changed since Cursor. What the
// phone may say that it has seen grows with the last page only, since the pages before are of no one moment.
//
// A delta names the paths that changed: the leaves of its document, and those in removed. What is held at and below them is replaced, and so are
// the conflicts at, above and below them.
func (s *State) Show(r Results, whole bool) error {
	page, err := readDocument(r.Document)
	if err != nil {
		return err
	}
	if s.Conflicts == nil || whole {
		s.Conflicts = map[crdt.Pointer]Conflict{}
	}
	if whole {
		s.Document = page
	} else {
		page.Leaves(func(p crdt.Pointer, v jsontext.Value) {
			s.Document.Put(p, v)
			s.settle(p)
		})
		for _, p := range r.Removed {
			s.Document.Delete(p)
			s.settle(p)
		}
	}
	for _, c := range r.Conflicts {
		s.Conflicts[c.Path] = c
	}
	s.Cursor, s.Late, s.Checkpoint = r.Cursor, r.Late, cmp.Or(r.Checkpoint, s.Checkpoint)
	if r.Complete {
		s.Seen = r.Clock
	}
	if r.Epoch != s.Epoch { // also the first time: what it sent before it was shown anything may be lost already
		s.Restored()
	}
	s.Epoch = r.Epoch
	return nil
}

// settle forgets the conflicts at p, above it and below; those that are still open come with the page.
func (s *State) settle(p crdt.Pointer) {
	maps.DeleteFunc(s.Conflicts, func(at crdt.Pointer, _ Conflict) bool { return at.Holds(p) || p.Holds(at) })
}

// Restored notes that the server was restored from a backup, once the whole document was shown again. Show does so, in the same step as
// it takes over the new epoch, so that a phone which is switched off in between misses nothing: batches that it had acknowledged and
// does not hold any more are pending again. Those that it seems to hold are sent again too: since the restore a copy of this phone may have
// used their numbers. Those that it does hold are answered as duplicates.
func (s *State) Restored() {
	for i := range s.Batches {
		b := &s.Batches[i]
		if s.Seen[crdt.ActorID(b.Client)] < b.Number {
			b.Acknowledged = false
		}
		b.Doubted = b.Acknowledged
	}
}
