package crdt

import "slices"

// Merged is what merging a batch did.
type Merged struct {
	Added []Added
	// Covered lists operations, stored before, that are not live any more.
	Covered []*Op
	// Recontested lists operations, stored before and still live, whose Contested has changed.
	Recontested []*Op
	// Touched lists every path at which something became live or ceased to be, with what that did to the conflict there, and the
	// paths above with something live.
	Touched []Touch
}

// Added is a stored operation of the batch.
type Added struct {
	Op   *Op
	Live bool
	// Superseded says that it was covered when it arrived.
	Superseded bool
}

// Touch tells what a merge did to the conflict at a path: "" stands for none.
type Touch struct {
	Path          Pointer
	Before, After ConflictKind
}

// merger is one merge under way.
type merger struct {
	*State
	later   Later
	added   []Added
	covered []*Op
	before  map[*node]ConflictKind
	own     map[*Op]int // index in added
	changed map[*node]bool
}

// Merge adds the operations of one batch, in order. The batch must already be in its actor's chain.
func (s *State) Merge(ops []Op, later Later) Merged {
	m := merger{State: s, later: later, before: map[*node]ConflictKind{}, own: map[*Op]int{}, changed: map[*node]bool{}}
	for i := range ops {
		m.add(&ops[i])
	}
	if len(ops) > 0 && len(later.Sweeps) > 0 {
		m.coverOlder(ops[0].Actor)
	}
	recontested := m.recontest()
	return Merged{Added: m.added, Covered: m.covered, Recontested: recontested, Touched: m.touched()}
}

func (m *merger) add(op *Op) {
	n := m.at(op.Path)
	if op.Kind != Append && op.Kind != Increment {
		m.cover(n, func(a *Op) bool { return m.covers(op, a) })
	}
	entry := Added{Op: op, Superseded: m.later.covers(op)}
	entry.Live = op.bears() && !entry.Superseded
	m.own[op] = len(m.added)
	m.added = append(m.added, entry)
	if entry.Live {
		m.touch(n)
		n.live = append(n.live, op)
	}
}

// cover takes away what is live at n and below and is covered.
func (m *merger) cover(n *node, covered func(*Op) bool) {
	n.each(func(n *node) {
		if !slices.ContainsFunc(n.live, covered) {
			return
		}
		m.touch(n)
		n.live = slices.DeleteFunc(n.live, func(op *Op) bool {
			if !covered(op) {
				return false
			}
			if i, own := m.own[op]; own {
				m.added[i].Live, m.added[i].Superseded = false, true
			} else {
				m.covered = append(m.covered, op)
			}
			return true
		})
	})
}

// coverOlder applies the writer's batches above again: the hole that is now closed has lengthened their contexts.
func (m *merger) coverOlder(writer ActorID) {
	m.cover(&m.root, func(op *Op) bool { return op.Actor == writer && m.later.sweeps(op) })
}

// touch notes the conflict at n and above it as it was before the first change there.
func (m *merger) touch(n *node) {
	m.changed[n] = true
	for q := n; q != nil && q.parent != nil; q = q.parent {
		if _, known := m.before[q]; !known {
			m.before[q] = m.kind(q)
		}
	}
}

// recontest brings Contested up to date at and below what changed.
func (m *merger) recontest() []*Op {
	var changed []*Op
	for top := range m.changed {
		top.each(func(n *node) {
			for _, op := range n.live {
				contested := m.contested(n, op)
				if contested == op.Contested {
					continue
				}
				op.Contested = contested
				if _, own := m.own[op]; !own && !slices.Contains(changed, op) {
					changed = append(changed, op)
				}
			}
		})
	}
	sortOps(changed)
	return changed
}

func (m *merger) touched() []Touch {
	var touched []Touch
	for n, before := range m.before {
		after := m.kind(n)
		if m.changed[n] || before != "" || after != "" {
			touched = append(touched, Touch{n.path, before, after})
		}
	}
	slices.SortFunc(touched, func(a, b Touch) int { return cmpKey(a.Path, b.Path) })
	return touched
}

// Recontest makes Contested anew for everything in s, which must be all that is live at and below its top paths.
func (s *State) Recontest() {
	s.root.each(func(n *node) {
		for _, op := range n.live {
			op.Contested = s.contested(n, op)
		}
	})
}
