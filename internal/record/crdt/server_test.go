package crdt_test

import (
	"fmt"
	"slices"
	"strings"

	"firemode/internal/record/crdt"
)

// server is what of a server the merge needs around it: a log, the numbers that are merged, what
// was delivered to whom.
type server struct {
	log       []batch
	merged    map[crdt.ActorID]crdt.Ranges
	delivered map[crdt.ActorID]int // the log up to this entry
	state     *crdt.State
	way       way
	rows      map[crdt.OpID]crdt.Op // what is live, kept from what Merge reported; only with rowsOnly
}

// batch is a log entry: the operations as they are stored.
type batch struct {
	actor   crdt.ActorID
	number  int64
	foreign crdt.Clock
	ops     []crdt.Op
}

// A way is how the engine is used, rightly or wrongly.
type way int

const (
	none       way = iota // rightly: the whole state in memory
	rowsOnly              // rightly: as little of the state as State asks for, reread for each batch
	liveOnly              // wrongly: compares an arriving operation only with live ones
	wholeChain            // wrongly: assumes that a writer has seen all it ever wrote, despite gaps
)

func newServer(w way) *server {
	s := &server{
		merged: map[crdt.ActorID]crdt.Ranges{}, delivered: map[crdt.ActorID]int{}, way: w,
		rows: map[crdt.OpID]crdt.Op{},
	}
	s.state = crdt.NewState(s.chains)
	return s
}

func (s *server) chains(id crdt.ActorID) crdt.Ranges {
	if s.way == wholeChain {
		return crdt.Ranges{{1, s.merged[id].Max()}}
	}
	return s.merged[id]
}

// clamp cuts what actor posted to what was delivered to it.
func (s *server) clamp(posted crdt.Clock, actor crdt.ActorID) crdt.Clock {
	clamped, _ := crdt.Clamp(posted, actor, func(id crdt.ActorID) int64 { return s.prefix(id, s.delivered[actor]) })
	return clamped
}

// prefix returns the contiguous prefix of id in the first n entries of the log.
func (s *server) prefix(id crdt.ActorID, n int) int64 {
	var numbers crdt.Ranges
	for _, b := range s.log[:n] {
		if b.actor == id {
			numbers = numbers.Add(b.number)
		}
	}
	return numbers.Prefix()
}

// merge logs b and merges it. The engine gets copies, since it notes on them whether they are
// contested.
func (s *server) merge(b batch) crdt.Merged {
	s.log = append(s.log, b)
	s.merged[b.actor] = s.merged[b.actor].Add(b.number)
	later := s.later(b)
	switch s.way {
	case liveOnly:
		later = crdt.Later{}
	case rowsOnly:
		return s.mergeRows(b, later)
	}
	return s.state.Merge(slices.Clone(b.ops), later)
}

// later looks through the log for what the writer of b had stored above it.
func (s *server) later(b batch) crdt.Later {
	l := crdt.Later{
		Batch: crdt.BatchRef{Actor: b.actor, Number: b.number},
		Chain: s.merged[b.actor].RangeOf(b.number), Sweeps: map[crdt.Pointer]crdt.Dot{},
		Names: map[crdt.Dot][]crdt.Pointer{},
	}
	var own []crdt.Op
	for _, e := range s.log {
		if e.actor == b.actor {
			own = append(own, e.ops...)
		}
	}
	for _, op := range own {
		if op.Batch <= b.number {
			continue
		}
		for _, named := range op.Names {
			l.Names[named] = append(l.Names[named], op.Path)
		}
		last, known := l.Sweeps[op.Path]
		if op.Batch <= l.Chain[1] && (op.Kind == crdt.Set || op.Kind == crdt.Remove || op.Kind == crdt.Append) &&
			(!known || last.Compare(op.Dot) < 0) {
			l.Sweeps[op.Path] = op.Dot
		}
	}
	return l
}

// live returns what is live in the engine, by path and dot.
func (s *server) live() []*crdt.Op {
	var all []*crdt.Op
	for _, top := range s.tops() {
		s.state.EachLive(top, func(op *crdt.Op) { all = append(all, op) })
	}
	return all
}

func (s *server) conflicts() []crdt.Conflict {
	var all []crdt.Conflict
	for _, top := range s.tops() {
		all = append(all, s.state.Conflicts(top, key)...)
	}
	return all
}

var key = []byte("the key of a session")

// tops returns the paths directly below the root at or below which anything was ever written.
func (s *server) tops() []crdt.Pointer {
	var tops []crdt.Pointer
	for _, b := range s.log {
		for _, op := range b.ops {
			tops = append(tops, crdt.Pointer("/"+op.Path.Segments()[0]))
		}
	}
	slices.Sort(tops)
	return slices.Compact(tops)
}

// String writes the log in a form to think about.
func (s *server) String() string {
	var out strings.Builder
	for _, b := range s.log {
		fmt.Fprintf(&out, "%s:%d has seen %v", b.actor, b.number, b.foreign)
		for _, op := range b.ops {
			fmt.Fprintf(&out, "\n\t%s %s %s %s", op.Dot, op.Kind, op.Path, op.Value)
			if len(op.Names) > 0 {
				fmt.Fprintf(&out, " names %v", op.Names)
			}
			fmt.Fprintf(&out, " at %d", op.Time)
		}
		out.WriteByte('\n')
	}
	return out.String()
}
