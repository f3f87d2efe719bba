package sessions

import (
	"encoding/json"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// derive brings what follows from the document up to date for the touched items: their state, the session's counts, defects. It
// follows flush, so that what it reads is what was merged.
func (m *merging) derive() error {
	m.countGaps()
	if len(m.touched) == 0 || !m.session.Status.Open() {
		return nil
	}
	ids := slices.Sorted(maps.Keys(m.touched))
	tops := make([]crdt.Pointer, len(ids))
	for i, id := range ids {
		tops[i] = itemPath(id)
	}
	book, err := m.loadItems(tops)
	if err != nil {
		return err
	}
	changed, err := m.tally(ids)
	if err != nil {
		return err
	}
	stale := slices.DeleteFunc(ids, func(id firemode.ItemID) bool { return !m.touched[id] && !contradicted(m.items[id]) })
	if err := m.judgeItems(book, stale, changed); err != nil {
		return err
	}
	states := make([]firemode.Item, 0, len(changed))
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		states = append(states, *m.items[id])
	}
	return store.As[store.ItemWriter](m.tx).SaveItemStates(m.ctx, m.ref.Org, m.ref.Session, states)
}

// contradicted reports whether the state of an item of which something is recorded says that nothing is, or is not what its conflicts make it. One
// that is not listed has no state.
func contradicted(item *firemode.Item) bool {
	return item != nil && (item.State == firemode.ItemUntouched || (item.Conflicts > 0) != (item.State == firemode.ItemDisputed))
}

// judgeItems brings state and defects of items up to date, and adds to changed those whose state is another.
func (m *merging) judgeItems(book *rules.Set, ids []firemode.ItemID, changed map[firemode.ItemID]bool) error {
	if len(ids) == 0 {
		return nil
	}
	if err := m.loadJudged(book, ids); err != nil {
		return err
	}
	stored, err := store.As[store.DefectReader](m.tx).DefectsOfItems(m.ctx, m.ref, ids)
	if err != nil {
		return err
	}
	defects := map[firemode.DefectID]firemode.Defect{}
	for _, d := range stored {
		defects[d.ID] = d
	}
	var judged []firemode.Defect
	for _, id := range ids {
		item := m.items[id]
		r, err := m.record(book, id, item)
		if err != nil {
			return err
		}
		if item != nil && m.assess(item, r) {
			changed[id] = true
		}
		judged = append(judged, m.judgeItem(id, r.findings, defects)...)
	}
	return store.As[store.DefectWriter](m.tx).SaveDefects(m.ctx, judged)
}

// loadJudged reads what items are judged by, unless it was read.
func (m *merging) loadJudged(book *rules.Set, ids []firemode.ItemID) error {
	tops := map[crdt.Pointer]bool{}
	for _, id := range ids {
		if m.judged[id] {
			continue
		}
		m.judged[id] = true
		for _, p := range m.basis(book, id) {
			tops[p] = true
		}
	}
	return m.loadLive(tops)
}

// record takes apart what is recorded of an item. Where none of that which was read remains, all of the item is looked at for what else does.
func (m *merging) record(book *rules.Set, id firemode.ItemID, item *firemode.Item) (record, error) {
	var checks []firemode.Check
	if item != nil {
		checks = item.Checks
	}
	rule := ruleOf(book, item, m.session)
	r := read(m.state, id, rule, checks)
	if r.touched || item == nil {
		return r, nil
	}
	if err := m.loadLive(map[crdt.Pointer]bool{itemPath(id): true}); err != nil {
		return r, err
	}
	return read(m.state, id, rule, checks), nil
}

// assess brings the state of an item up to date and reports whether that changed it.
func (m *merging) assess(item *firemode.Item, r record) bool {
	state, missing := r.assess(item.Checks, item.Conflicts > 0)
	if state == item.State && r.outcome == item.Outcome && slices.Equal(missing, item.Missing) {
		return false
	}
	if state == firemode.ItemDone {
		m.head.Done++
	}
	if item.State == firemode.ItemDone {
		m.head.Done--
	}
	item.State, item.Outcome, item.Missing = state, r.outcome, missing
	return true
}

// countGaps brings the count of actors with a missing number up to date.
func (m *merging) countGaps() {
	for id, was := range m.gapped {
		now := len(m.actors[id].Held.Missing()) > 0
		switch {
		case now && !was:
			m.head.Gaps++
		case was && !now:
			m.head.Gaps--
		}
	}
}

// judgeItem returns the defects of an item that its findings open, change or withdraw.
func (m *merging) judgeItem(id firemode.ItemID, findings []finding, stored map[firemode.DefectID]firemode.Defect) []firemode.Defect {
	var changed []firemode.Defect
	reported := map[firemode.DefectID]bool{}
	for _, f := range findings {
		key := firemode.NewDefectID(m.session.ID, id, f.rule.Code, f.condition)
		reported[key] = true
		d, known := stored[key]
		if !known {
			d = m.newDefect(key, id, f)
		}
		if m.update(&d, f) || !known {
			changed = append(changed, d)
		}
	}
	for _, d := range stored {
		if d.Item == id && !reported[d.ID] && d.Status != firemode.DefectWithdrawn {
			d.Status, d.UpdatedAt = firemode.DefectWithdrawn, m.at
			changed = append(changed, d)
		}
	}
	return changed
}

func (m *merging) newDefect(id firemode.DefectID, item firemode.ItemID, f finding) firemode.Defect {
	found := f.first.Origin.CapturedAt
	if found.IsZero() {
		found = f.first.Origin.ReceivedAt
	}
	return firemode.Defect{
		Org: m.ref.Org, ID: id, Session: m.session.ID, Building: m.session.Building, Item: item, Rule: f.rule.Code, Version: f.rule.Version,
		Condition: f.condition, Status: firemode.DefectOpen, FoundBy: firemode.UserID(f.first.Origin.User), FoundAt: found, Revision: 1,
	}
}

// update brings a defect to what its finding says now, and reports whether that changed it. Every new judgement is kept, with an
// audit entry of its own.
func (m *merging) update(d *firemode.Defect, f finding) bool {
	changed := d.Count != f.count || d.Status == firemode.DefectWithdrawn
	d.Count = f.count
	if d.Status == firemode.DefectWithdrawn {
		d.Status = firemode.DefectOpen
	}
	judged := judgeFinding(f)
	if n := len(d.Classifications); n == 0 || !same(d.Classifications[n-1], judged) {
		judged.At, judged.Audit = m.at, firemode.AuditID(m.svc.NewID())
		d.Class, d.Classifications = judged.Class, append(d.Classifications, judged)
		m.audits = append(m.audits, judgementOf(*d, judged))
		changed = true
	}
	if changed {
		d.UpdatedAt = m.at
	}
	return changed
}

// judgeFinding applies the rule. Answers that the rule cannot use do not hide the finding: it then has its default class, and
// the reason says what was wrong. A condition that the rule does not know is a recommendation until somebody settles it.
func judgeFinding(f finding) firemode.Classification {
	c := firemode.Classification{Rule: f.rule.Code, Version: f.rule.Version}
	judged, err := rules.Classify(f.rule, f.finding)
	if err != nil && !f.unlisted {
		c.Reason = err.Error()
		judged, err = rules.Classify(f.rule, rules.Finding{Condition: f.condition})
	}
	if err != nil {
		c.Class, c.Default, c.Basis = firemode.ClassRecommendation, firemode.ClassRecommendation, rules.BasisDefault
		c.Reason = "the rule does not know this condition"
		return c
	}
	c.Class, c.Default, c.Basis = judged.Class, judged.Default, judged.Basis
	if c.Reason == "" {
		c.Reason = judged.Reason
	}
	return c
}

func same(a, b firemode.Classification) bool {
	return a.Class == b.Class && a.Default == b.Default && a.Basis == b.Basis && a.Reason == b.Reason && a.Version == b.Version
}

// judgementOf is the audit entry of one judgement of a defect.
func judgementOf(d firemode.Defect, c firemode.Classification) ledger.AuditEntry {
	data, _ := json.Marshal(map[string]any{ // strings always marshal
		"session_id": d.Session, "item_id": d.Item, "defect_id": d.ID, "condition": d.Condition, "classification": c.Class,
		"default_classification": c.Default, "basis": c.Basis, "reason": c.Reason, "version": c.Version,
	})
	return ledger.AuditEntry{ID: c.Audit, User: d.FoundBy, Action: actionClassify, Subject: string(d.Rule), Data: data}
}
