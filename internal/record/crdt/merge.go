package crdt

import "slices"

// Merged is what merging a batch did.
type Merged struct {
	Added []Added
	// Superseded lists operations, stored before, that are not live any more.
	Superseded []*Op
	// Recontested lists operations, stored before and still live, whose Contested has changed.
	Recontested []*Op
	// Touched lists every path at which something became live or ceased to be, and every other path
	// at which a conflict was or is open that the batch may have changed, with what it did to the
	// conflict there.
	Touched []Touch
}

// Added is a stored operation of the batch.
type Added struct {
	Op   *Op
	Live bool
	// Superseded reports that it was superseded already when it arrived.
	Superseded bool
}

// Touch is what a merge did to the conflict at a path; "" means none.
type Touch struct {
	Path          Pointer
	Before, After ConflictKind
}

// merger is one merge under way.
type merger struct {
	*State
	later      Later
	added      []Added
	superseded []*Op
	before     map[*node]ConflictKind
	own        map[*Op]int    // index in added
	looked     map[*node]bool // at and below which Contested may have changed
	changed    map[*node]bool // those of them of which the live operations changed
}

// Merge adds the operations of one batch, in order. The batch must already be in its actor's chain.
func (s *State) Merge(ops []Op, later Later) Merged {
	m := merger{
		State: s, later: later, before: map[*node]ConflictKind{}, own: map[*Op]int{}, looked: map[*node]bool{},
		changed: map[*node]bool{},
	}
	if later.Chain != (Range{}) {
		m.lengthen()
	}
	for i := range ops {
		m.add(&ops[i])
	}
	recontested := m.recontest()
	return Merged{Added: m.added, Superseded: m.superseded, Recontested: recontested, Touched: m.touched()}
}

func (m *merger) add(op *Op) {
	n := m.at(op.Path)
	if op.Kind != Increment {
		m.supersede(n, func(a *Op) bool { return m.supersedes(op, a) })
	}
	entry := Added{Op: op, Superseded: m.later.supersedes(op)}
	entry.Live = op.bears() && !entry.Superseded
	m.own[op] = len(m.added)
	m.added = append(m.added, entry)
	if entry.Live {
		m.touch(n)
		n.live = append(n.live, op)
	}
}

// supersede removes the live operations at n and below for which superseded holds.
func (m *merger) supersede(n *node, superseded func(*Op) bool) {
	n.each(func(n *node) {
		if !slices.ContainsFunc(n.live, superseded) {
			return
		}
		m.touch(n)
		n.live = slices.DeleteFunc(n.live, func(op *Op) bool {
			if !superseded(op) {
				return false
			}
			if i, own := m.own[op]; own {
				m.added[i].Live, m.added[i].Superseded = false, true
			} else {
				m.superseded = append(m.superseded, op)
			}
			return true
		})
	})
}

// lengthen applies the writer's later batches once more: closing the gap has lengthened their
// contexts. They supersede what is before the gap, and have now seen what they conflicted with.
func (m *merger) lengthen() {
	writer := m.later.Batch.Actor
	m.root.each(func(n *node) {
		if slices.ContainsFunc(n.live, func(op *Op) bool {
			return op.Actor == writer && op.Batch > m.later.Batch.Number && op.Batch <= m.later.Chain[1]
		}) {
			m.look(n)
		}
	})
	m.supersede(&m.root, func(op *Op) bool { return op.Actor == writer && m.later.sweeps(op) })
}

// touch is look for a node of which the live operations are about to change.
func (m *merger) touch(n *node) {
	m.changed[n] = true
	m.look(n)
}

// look notes the conflict at n and above it as it was before the batch, and before the first change
// there.
func (m *merger) look(n *node) {
	m.looked[n] = true
	m.open = &m.later.Batch
	for q := n; q != nil && q.parent != nil; q = q.parent {
		if _, known := m.before[q]; !known {
			m.before[q] = m.kind(q)
		}
	}
	m.open = nil
}

// recontest brings Contested up to date at and below what changed.
func (m *merger) recontest() []*Op {
	var changed []*Op
	for top := range m.looked {
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

// Recontest recomputes Contested for everything in s, which must be all that is live at and below
// its top paths.
func (s *State) Recontest() {
	s.root.each(func(n *node) {
		for _, op := range n.live {
			op.Contested = s.contested(n, op)
		}
	})
}
