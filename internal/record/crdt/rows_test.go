package crdt_test

import (
	"slices"

	"firemode/internal/record/crdt"
)

// mergeRows merges b into as little of the state as State asks for, and brings the rows up to date
// with what Merge reports.
func (s *server) mergeRows(b batch, later crdt.Later) crdt.Merged {
	part := crdt.NewState(s.chains)
	for id := range s.around(b, later) {
		part.Load(s.rows[id])
	}
	m := part.Merge(slices.Clone(b.ops), later)
	for _, a := range m.Added {
		if a.Live {
			s.rows[a.Op.ID()] = *a.Op
		}
	}
	for _, op := range m.Superseded {
		delete(s.rows, op.ID())
	}
	for _, op := range m.Recontested {
		row := s.rows[op.ID()]
		row.Contested = op.Contested
		s.rows[op.ID()] = row
	}
	s.state = crdt.NewState(s.chains)
	for _, row := range s.rows {
		s.state.Load(row)
	}
	return m
}

// around returns what is live at, above and below the paths that merging b can touch, and what is
// contested below what is live above them.
func (s *server) around(b batch, later crdt.Later) map[crdt.OpID]bool {
	var touched []crdt.Pointer
	for _, op := range b.ops {
		touched = append(touched, op.Path)
	}
	for id, row := range s.rows {
		if row.Actor == b.actor && later.Chain[1] > b.number && later.Chain[0] <= row.Batch &&
			row.Batch <= later.Chain[1] {
			touched = append(touched, id.Path)
		}
	}
	needed := map[crdt.OpID]bool{}
	for id, row := range s.rows {
		above := func(p crdt.Pointer) bool { return id.Path.Holds(p) }
		below := func(p crdt.Pointer) bool { return p.Holds(id.Path) }
		needed[id] = slices.ContainsFunc(touched, above) || slices.ContainsFunc(touched, below) ||
			row.Contested && s.belowLive(id.Path, touched)
		if !needed[id] {
			delete(needed, id)
		}
	}
	return needed
}

// belowLive reports whether p is below something live that is above one of the paths.
func (s *server) belowLive(p crdt.Pointer, paths []crdt.Pointer) bool {
	for id := range s.rows {
		if id.Path.Holds(p) && slices.ContainsFunc(paths, id.Path.Holds) {
			return true
		}
	}
	return false
}
