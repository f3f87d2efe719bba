package merge

import (
	"context"
	"maps"
	"slices"
	"time"

	"firemode"
	"firemode/internal/record/assess"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// merging is the work on one locked session in one transaction: what it needs is read in a few set-based queries, jobs are
// merged one after the other in memory, and the outcome is written set-based at the end. Its cost follows the jobs and
// what is live at and around their paths, not the session.
type merging struct {
	ctx        context.Context // of the transaction, as long as it lasts
	tx         store.Tx
	svc        *Service
	at         time.Time // of the transaction; in a verification of the one that is merged again
	session    firemode.Session
	head       ledger.Head
	before     int64 // number of the last log entry before this transaction
	tallied    bool  // whether the items' conflicts were counted up to there
	ref        ledger.SessionRef
	derivation assess.Derivation // of the session's format

	state  *crdt.State
	loaded map[crdt.OpID]bool
	actors map[crdt.ActorID]*ledger.Actor // nil for one that is known not to exist
	runs   map[store.PrefixAsk]int64      // runs as of what was delivered, as they were before this transaction
	held   map[ledger.BatchRef]*ledger.Entry
	keyed  map[ledger.BatchKey]*ledger.Entry
	items  map[firemode.ItemID]*firemode.Item // those that were asked for; nil for one that the session does not list
	bound  map[firemode.UserID]int            // actors by user

	newBatches []ledger.Entry
	newOps     []*addedOp
	rowOf      map[*crdt.Op]*addedOp // of newOps
	oldOps     map[*crdt.Op]fate     // operations stored before that changed
	newRuns    []store.PrefixChange
	dirty      map[crdt.ActorID]bool
	gapped     map[crdt.ActorID]bool    // of the actors that changed: whether a number was missing before
	touched    map[firemode.ItemID]bool // items at or below which something changed; true for those that may have to be judged anew
	opened     map[firemode.ItemID]int  // by how much the number of conflicts at or below an item changed
	bases      map[firemode.ItemID][]crdt.Pointer
	judged     map[firemode.ItemID]bool // items of which all that they are judged by was read
	answered   map[string]*job          // by scope and key, those of done
	done       []*job
	following  []*job // those that repeat one of done
	audits     []ledger.AuditEntry
	arose      int
	failed     error // of a read that could not report it itself
}

func (s *Service) newMerging(ctx context.Context, tx store.Tx, locked store.LockedSession) *merging {
	m := &merging{
		ctx: ctx, tx: tx, svc: s, at: tx.Now(), session: locked.Session, head: locked.Head, before: locked.Head.Seq,
		tallied: locked.Head.Tallied == locked.Head.Seq, ref: ledger.RefOf(locked.Session),
		derivation: assess.DerivationOf(locked.Session.Format),
		loaded:     map[crdt.OpID]bool{}, actors: map[crdt.ActorID]*ledger.Actor{}, runs: map[store.PrefixAsk]int64{},
		held: map[ledger.BatchRef]*ledger.Entry{}, keyed: map[ledger.BatchKey]*ledger.Entry{}, items: map[firemode.ItemID]*firemode.Item{},
		bound: map[firemode.UserID]int{}, rowOf: map[*crdt.Op]*addedOp{}, oldOps: map[*crdt.Op]fate{},
		dirty: map[crdt.ActorID]bool{}, touched: map[firemode.ItemID]bool{},
		gapped: map[crdt.ActorID]bool{}, opened: map[firemode.ItemID]int{}, bases: map[firemode.ItemID][]crdt.Pointer{},
		judged: map[firemode.ItemID]bool{}, answered: map[string]*job{},
	}
	m.state = crdt.NewState(m.chain)
	return m
}

// chain returns the merged batches of an actor. Actors of what was read beside the jobs' own are read when they are first asked for:
// most never are. A failure to read one is kept, and fails the transaction.
func (m *merging) chain(id crdt.ActorID) crdt.Ranges {
	if _, known := m.actors[id]; !known {
		if err := m.needActors(map[crdt.ActorID]bool{id: true}); err != nil && m.failed == nil {
			m.failed = err
		}
	}
	if a := m.actors[id]; a != nil {
		return a.Merged
	}
	return nil
}

// run merges jobs in order and writes the outcome. A job's own failure is its err; what run returns failed the transaction.
func (m *merging) run(jobs []*job) error {
	fresh, err := m.settleKnown(jobs)
	if err != nil {
		return err
	}
	if err := m.load(fresh); err != nil {
		return err
	}
	for _, j := range fresh {
		if err := m.submit(j); err != nil {
			return err
		}
	}
	return m.finish()
}

// settleKnown answers the jobs that may not see the session and those that were done before, and returns the others.
func (m *merging) settleKnown(jobs []*job) ([]*job, error) {
	var open []*job
	var keys []store.StoredResponse
	for _, j := range jobs {
		err := store.MaySeeSession(m.ctx, m.tx, j.p, m.session)
		if code := firemode.CodeOf(err); err != nil && code != firemode.CodeNotFound {
			return nil, err
		}
		if j.err = err; err == nil {
			open = append(open, j)
			keys = append(keys, store.StoredResponse{Scope: j.scope, Key: j.in.Key})
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	stored, err := store.As[store.ResponseReader](m.tx).Responses(m.ctx, keys)
	if err != nil {
		return nil, err
	}
	known := map[ledger.BatchKey]store.StoredResponse{}
	for _, a := range stored {
		known[ledger.BatchKey{Actor: crdt.ActorID(a.Scope), Key: a.Key}] = a
	}
	return slices.DeleteFunc(open, func(j *job) bool {
		a, done := known[ledger.BatchKey{Actor: crdt.ActorID(j.scope), Key: j.in.Key}]
		if done {
			j.replay(a)
		}
		return done
	}), nil
}

// load reads what jobs can touch.
func (m *merging) load(jobs []*job) error {
	if len(jobs) == 0 {
		return nil
	}
	if err := m.loadActors(jobs); err != nil {
		return err
	}
	if err := m.loadBatches(jobs); err != nil {
		return err
	}
	if err := m.loadRuns(jobs); err != nil {
		return err
	}
	var paths []crdt.Pointer
	for _, j := range jobs {
		paths = append(paths, changedPaths(j.in.Changes)...)
	}
	return m.loadPaths(paths)
}

func changedPaths(changes []crdt.Change) []crdt.Pointer {
	var paths []crdt.Pointer
	for _, c := range changes {
		if c.Rejected == "" {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

func (m *merging) loadActors(jobs []*job) error {
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
	return m.needActors(wanted)
}

// needActors reads those of ids that were not read yet, and the parents of fresh ones.
func (m *merging) needActors(wanted map[crdt.ActorID]bool) error {
	for len(wanted) > 0 {
		for id := range wanted {
			if _, known := m.actors[id]; known {
				delete(wanted, id)
			} else {
				m.actors[id] = nil
			}
		}
		if len(wanted) == 0 {
			return nil
		}
		actors, err := store.As[store.ActorReader](m.tx).Actors(m.ctx, m.ref, slices.Sorted(maps.Keys(wanted)))
		if err != nil {
			return err
		}
		clear(wanted)
		for _, a := range actors {
			m.actors[a.ID] = &a
			if a.Parent != "" {
				wanted[a.Parent] = true
			}
		}
	}
	return nil
}

func (m *merging) loadBatches(jobs []*job) error {
	var refs []ledger.BatchRef
	var keys []ledger.BatchKey
	for _, j := range jobs {
		actor := m.actors[j.actor]
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
		batches, err := store.As[store.EntryReader](m.tx).Entries(m.ctx, m.ref, refs)
		if err != nil {
			return err
		}
		for _, b := range batches {
			m.held[ledger.BatchRef{Actor: b.Actor, Number: b.Number}] = &b
		}
	}
	if len(keys) == 0 {
		return nil
	}
	batches, err := store.As[store.EntryReader](m.tx).EntriesByKey(m.ctx, m.ref, keys)
	for _, b := range batches {
		m.keyed[ledger.BatchKey{Actor: b.Actor, Key: b.Key}] = &b
	}
	return err
}

// loadRuns finds how much of every actor was delivered to the writers of jobs. What is merged in this transaction cannot have
// been delivered, so that runs as they are now are what counts.
func (m *merging) loadRuns(jobs []*job) error {
	var asks []store.PrefixAsk
	for _, j := range jobs {
		writer := m.actors[j.actor]
		if writer == nil || writer.Delivered == 0 {
			continue
		}
		for id, actor := range m.namedBy(j) {
			ask := store.PrefixAsk{Actor: id, Seq: writer.Delivered}
			if _, known := m.runs[ask]; known || actor == nil {
				continue
			}
			m.runs[ask] = actor.Merged.Prefix()
			if actor.PrefixSeq > writer.Delivered {
				asks = append(asks, ask)
			}
		}
	}
	if len(asks) == 0 {
		return nil
	}
	runs, err := store.As[store.HeadReader](m.tx).Prefixes(m.ctx, m.ref, asks)
	if err != nil {
		return err
	}
	for i, ask := range asks {
		m.runs[ask] = runs[i]
	}
	return nil
}

// namedBy returns the actors that a job's clock or corrections name.
func (m *merging) namedBy(j *job) map[crdt.ActorID]*ledger.Actor {
	named := map[crdt.ActorID]*ledger.Actor{}
	if j.number > 0 {
		for id := range j.in.Meta.Clock {
			named[id] = m.actors[id]
		}
	}
	for _, c := range j.in.Changes {
		if c.Kind == crdt.Correct {
			for _, d := range c.Names {
				named[d.Actor] = m.actors[d.Actor]
			}
		}
	}
	return named
}

// deliveredRun returns how much of actor was delivered to writer.
func (m *merging) deliveredRun(writer, actor crdt.ActorID) int64 {
	w := m.actors[writer]
	if w == nil || w.Delivered == 0 {
		return 0
	}
	return m.runs[store.PrefixAsk{Actor: actor, Seq: w.Delivered}]
}

// loadPaths reads what is live at, above and below paths, and what the items are judged by on whose judgement one of the paths bears.
func (m *merging) loadPaths(paths []crdt.Pointer) error {
	book, err := m.loadItems(paths)
	if err != nil {
		return err
	}
	below := map[crdt.Pointer]bool{}
	for _, p := range paths {
		below[p] = true
		id := assess.ParsePath(p).Item
		if id == "" || m.judged[id] || !assess.Affects(p, m.basis(book, id)) {
			continue
		}
		m.judged[id] = true
		for _, q := range m.basis(book, id) {
			below[q] = true
		}
	}
	return m.loadLive(below)
}

// loadLive reads what is live at, above and below tops.
func (m *merging) loadLive(tops map[crdt.Pointer]bool) error {
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
	// What is below another path of the list comes with it, and what was read before is left as it is.
	live, err := store.As[store.OpReader](m.tx).LiveOps(m.ctx, m.ref, at, slices.Sorted(maps.Keys(tops)))
	if err != nil {
		return err
	}
	m.know(live)
	return m.loadContested(at)
}

// loadContested reads what disputes with something live at one of paths.
func (m *merging) loadContested(paths []crdt.Pointer) error {
	inhabited := slices.DeleteFunc(paths, func(p crdt.Pointer) bool { return len(m.state.Live(p)) == 0 })
	if len(inhabited) == 0 {
		return nil
	}
	contested, err := store.As[store.OpReader](m.tx).ContestedOps(m.ctx, m.ref, inhabited)
	m.know(contested)
	return err
}

func (m *merging) know(ops []crdt.Op) {
	for i := range ops {
		if id := ops[i].ID(); !m.loaded[id] {
			m.loaded[id] = true
			m.state.Load(ops[i])
		}
	}
}

// loadItems reads the items that paths belong to, and returns the rules that judge them.
func (m *merging) loadItems(paths []crdt.Pointer) (*rules.Set, error) {
	var ids []firemode.ItemID
	for _, p := range paths {
		id := assess.ParsePath(p).Item
		if _, known := m.items[id]; id != "" && !known {
			m.items[id] = nil
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		items, err := store.As[store.ItemReader](m.tx).ItemsByID(m.ctx, m.ref.Org, m.ref.Session, ids)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			m.items[item.ID] = &item
		}
	}
	return m.svc.Rules.RuleSet(m.ctx, m.ref.Org)
}
