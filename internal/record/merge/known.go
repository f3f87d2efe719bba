package merge

import (
	"context"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// known is what was read of the session, so that nothing is read twice.
type known struct {
	ops         map[crdt.OpID]bool             // operations in the state
	actors      map[crdt.ActorID]*ledger.Actor // nil for an actor that does not exist
	actorCounts map[firemode.UserID]int        // number of actors of a user
	prefixes    map[store.PrefixAsk]int64      // as they were before this transaction
	byNumber    map[ledger.BatchRef]*ledger.Entry
	byKey       map[ledger.BatchKey]*ledger.Entry
	items       map[firemode.ItemID]*firemode.Item // nil for an item that the session does not list
	bases       map[firemode.ItemID][]crdt.Pointer
	assessable  map[firemode.ItemID]bool // items of which everything at and below the basis is in the state
}

func newKnown() known {
	return known{
		ops:         map[crdt.OpID]bool{},
		actors:      map[crdt.ActorID]*ledger.Actor{},
		actorCounts: map[firemode.UserID]int{},
		prefixes:    map[store.PrefixAsk]int64{},
		byNumber:    map[ledger.BatchRef]*ledger.Entry{},
		byKey:       map[ledger.BatchKey]*ledger.Entry{},
		items:       map[firemode.ItemID]*firemode.Item{},
		bases:       map[firemode.ItemID][]crdt.Pointer{},
		assessable:  map[firemode.ItemID]bool{},
	}
}

// delivered returns the length of actor's prefix that was delivered to writer.
func (k known) delivered(writer, actor crdt.ActorID) int64 {
	w := k.actors[writer]
	if w == nil || w.Delivered == 0 {
		return 0
	}
	return k.prefixes[store.PrefixAsk{Actor: actor, Seq: w.Delivered}]
}

// readFor reads what jobs can touch.
func (m *merging) readFor(ctx context.Context, jobs []*job) error {
	if len(jobs) == 0 {
		return nil
	}
	if err := m.readActorsOf(ctx, jobs); err != nil {
		return err
	}
	if err := m.readBatches(ctx, jobs); err != nil {
		return err
	}
	if err := m.readPrefixes(ctx, jobs); err != nil {
		return err
	}
	var paths []crdt.Pointer
	for _, j := range jobs {
		paths = append(paths, changedPaths(j.in.Changes)...)
	}
	return m.readAround(ctx, paths)
}

// readActorsOf reads the actors that jobs write as or name.
func (m *merging) readActorsOf(ctx context.Context, jobs []*job) error {
	wanted := map[crdt.ActorID]bool{}
	for _, j := range jobs {
		wanted[j.actor] = true
		if client := j.in.Meta.Client; client != "" {
			wanted[crdt.ActorID(client)], wanted[crdt.NaiveActor(client, "")] = true, true
		}
		if j.number > 0 {
			for id := range j.in.Meta.Clock {
				wanted[id] = true
			}
		}
		for _, c := range j.in.Changes {
			for _, d := range c.Names {
				wanted[d.Actor] = true
			}
		}
	}
	return m.readActors(ctx, wanted)
}

// readActors reads those of wanted that were not read yet, and the parents of fresh ones. It
// empties wanted.
func (m *merging) readActors(ctx context.Context, wanted map[crdt.ActorID]bool) error {
	for len(wanted) > 0 {
		for id := range wanted {
			if _, known := m.known.actors[id]; known {
				delete(wanted, id)
			} else {
				m.known.actors[id] = nil
			}
		}
		if len(wanted) == 0 {
			return nil
		}
		actors, err := m.ports.actors.Actors(ctx, m.ref, slices.Sorted(maps.Keys(wanted)))
		if err != nil {
			return err
		}
		clear(wanted)
		for _, a := range actors {
			m.known.actors[a.ID] = &a
			if a.Parent != "" {
				wanted[a.Parent] = true
			}
		}
	}
	return nil
}

// readBatches reads the stored batches with the number of a job's batch and the numbers beside it.
// For a client that does not number its batches it reads the batch with the job's key.
func (m *merging) readBatches(ctx context.Context, jobs []*job) error {
	var refs []ledger.BatchRef
	var keys []ledger.BatchKey
	for _, j := range jobs {
		actor := m.known.actors[j.actor]
		switch {
		case actor == nil:
		case j.number == 0:
			keys = append(keys, ledger.BatchKey{Actor: j.actor, Key: j.in.Key})
		default:
			for n := max(1, j.number-1); n <= j.number+1; n++ {
				if actor.Held.Contains(n) {
					refs = append(refs, ledger.BatchRef{Actor: j.actor, Number: n})
				}
			}
		}
	}
	if len(refs) > 0 {
		entries, err := m.ports.entries.Entries(ctx, m.ref, refs)
		if err != nil {
			return err
		}
		for _, e := range entries {
			m.known.byNumber[ledger.BatchRef{Actor: e.Actor, Number: e.Number}] = &e
		}
	}
	if len(keys) == 0 {
		return nil
	}
	entries, err := m.ports.entries.EntriesByKey(ctx, m.ref, keys)
	for _, e := range entries {
		m.known.byKey[ledger.BatchKey{Actor: e.Actor, Key: e.Key}] = &e
	}
	return err
}

// readPrefixes reads how much of every actor was delivered to the writers of jobs. What is merged
// in this transaction cannot have been delivered, so the prefixes before it are the right ones.
func (m *merging) readPrefixes(ctx context.Context, jobs []*job) error {
	var asks []store.PrefixAsk
	for _, j := range jobs {
		writer := m.known.actors[j.actor]
		if writer == nil || writer.Delivered == 0 {
			continue
		}
		for id, actor := range m.namedBy(j) {
			ask := store.PrefixAsk{Actor: id, Seq: writer.Delivered}
			if _, known := m.known.prefixes[ask]; known || actor == nil {
				continue
			}
			m.known.prefixes[ask] = actor.Merged.Prefix()
			if actor.PrefixSeq > writer.Delivered {
				asks = append(asks, ask)
			}
		}
	}
	if len(asks) == 0 {
		return nil
	}
	prefixes, err := m.ports.heads.Prefixes(ctx, m.ref, asks)
	if err != nil {
		return err
	}
	for i, ask := range asks {
		m.known.prefixes[ask] = prefixes[i]
	}
	return nil
}

// namedBy returns the actors that a job's clock or corrections name.
func (m *merging) namedBy(j *job) map[crdt.ActorID]*ledger.Actor {
	named := map[crdt.ActorID]*ledger.Actor{}
	if j.number > 0 {
		for id := range j.in.Meta.Clock {
			named[id] = m.known.actors[id]
		}
	}
	for _, c := range j.in.Changes {
		if c.Kind == crdt.Correct {
			for _, d := range c.Names {
				named[d.Actor] = m.known.actors[d.Actor]
			}
		}
	}
	return named
}

// readAround reads what is live at, above and below paths. For each item that one of paths affects
// it also reads the basis, by which the item will be assessed.
func (m *merging) readAround(ctx context.Context, paths []crdt.Pointer) error {
	ruleSet, err := m.readItems(ctx, paths)
	if err != nil {
		return err
	}
	tops := map[crdt.Pointer]bool{}
	for _, p := range paths {
		tops[p] = true
		id := assess.ParsePath(p).Item
		if id == "" || m.known.assessable[id] || !assess.Affects(p, m.basis(ruleSet, id)) {
			continue
		}
		m.known.assessable[id] = true
		for _, q := range m.basis(ruleSet, id) {
			tops[q] = true
		}
	}
	return m.readLive(ctx, tops)
}

// basis returns the basis of an item. If the session lists the item, it must have been read.
func (m *merging) basis(ruleSet *rules.Set, id firemode.ItemID) []crdt.Pointer {
	if basis, known := m.known.bases[id]; known {
		return basis
	}
	item := m.known.items[id]
	basis := m.derivation.Basis(id, item, m.derivation.Rules(ruleSet, item, m.session))
	m.known.bases[id] = basis
	return basis
}

// readLive reads what is live at, above and below tops.
func (m *merging) readLive(ctx context.Context, tops map[crdt.Pointer]bool) error {
	if len(tops) == 0 {
		return nil
	}
	above := map[crdt.Pointer]bool{}
	for p := range tops {
		for _, q := range p.Ancestors() {
			above[q] = true
		}
	}
	at := slices.Sorted(maps.Keys(above))
	live, err := m.ports.ops.LiveOps(ctx, m.ref, at, slices.Sorted(maps.Keys(tops)))
	if err != nil {
		return err
	}
	m.loadOps(live)
	return m.readContested(ctx, at)
}

// readContested reads the operations below paths that are in conflict with something live at one of
// paths.
func (m *merging) readContested(ctx context.Context, paths []crdt.Pointer) error {
	inhabited := slices.DeleteFunc(paths, func(p crdt.Pointer) bool { return len(m.state.Live(p)) == 0 })
	if len(inhabited) == 0 {
		return nil
	}
	contested, err := m.ports.ops.ContestedOps(ctx, m.ref, inhabited)
	m.loadOps(contested)
	return err
}

// loadOps adds operations to the state. Those that are in it stay: they may have changed in this
// transaction.
func (m *merging) loadOps(ops []crdt.Op) {
	for i := range ops {
		if id := ops[i].ID(); !m.known.ops[id] {
			m.known.ops[id] = true
			m.state.Load(ops[i])
		}
	}
}

// readItems reads the items that paths belong to, and returns the rules of the organisation.
func (m *merging) readItems(ctx context.Context, paths []crdt.Pointer) (*rules.Set, error) {
	var ids []firemode.ItemID
	for _, p := range paths {
		id := assess.ParsePath(p).Item
		if _, known := m.known.items[id]; id != "" && !known {
			m.known.items[id] = nil
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		items, err := m.ports.items.ItemsByID(ctx, m.ref.Org, m.ref.Session, ids)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			m.known.items[item.ID] = &item
		}
	}
	return m.svc.Rules.RuleSet(ctx, m.ref.Org)
}
