package defects

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/record/verify"
	"firemode/internal/store"
)

// Recomputer compares defects with the results and the audit log that they follow from.
type Recomputer struct{}

var _ verify.Recomputer = Recomputer{}

// Recompute begins the verification of one organisation.
func (Recomputer) Recompute(firemode.OrgID) verify.Recomputation {
	return &recomputation{sessions: map[firemode.SessionID]audited{}}
}

// recomputation is what the audit log says about the defects of each session.
type recomputation struct {
	sessions map[firemode.SessionID]audited
}

// audited is what the audit log says about the defects of one session.
type audited struct {
	classified []ledger.AuditEntry
	changed    []change // by people, in order
}

// change is what a person did with a defect after log entry Seq of its session.
type change struct {
	ID   firemode.DefectID     `json:"-"`
	At   time.Time             `json:"-"`
	To   firemode.DefectStatus `json:"to"`
	Note string                `json:"note"`
	Seq  int64                 `json:"sequence"`
}

// Audit notes an entry if it is about a defect of a session.
func (r *recomputation) Audit(e ledger.AuditEntry) {
	if id := sessionOf(e); id != "" {
		a := r.sessions[id]
		a.add(e)
		r.sessions[id] = a
	}
}

// sessionOf returns the session that an entry about a defect names. It is "" for any other entry,
// and for a condition that a person classified outside a session.
func sessionOf(e ledger.AuditEntry) firemode.SessionID {
	var of struct {
		Session firemode.SessionID `json:"session_id"`
	}
	if e.Action != ledger.ActionClassify && e.Action != ledger.ActionUpdateDefect || json.Unmarshal(e.Data, &of) != nil {
		return ""
	}
	return of.Session
}

func (a *audited) add(e ledger.AuditEntry) {
	if e.Action == ledger.ActionClassify {
		a.classified = append(a.classified, e)
		return
	}
	c := change{ID: firemode.DefectID(e.Subject), At: e.At}
	if json.Unmarshal(e.Data, &c) == nil {
		a.changed = append(a.changed, c)
	}
}

// Organisation compares nothing: every defect belongs to a session.
func (*recomputation) Organisation(context.Context, store.ReadTx, verify.Report) (string, error) {
	return "", nil
}

// Session begins the verification of one session.
func (r *recomputation) Session(s verify.SessionScope) verify.SessionRecomputation {
	known := r.sessions[s.Session.ID]
	a := audited{slices.Clone(known.classified), slices.Clone(known.changed)}
	for _, e := range s.Newer {
		if sessionOf(e) == s.Session.ID {
			a.add(e)
		}
	}
	return &sessionRecomputation{SessionScope: s, audited: a, pending: a.changed}
}

// sessionRecomputation recomputes the defects of one session.
type sessionRecomputation struct {
	verify.SessionScope
	audited audited
	pending []change // not applied yet
}

func (r *sessionRecomputation) differs(where, format string, args ...any) {
	r.Report(where, fmt.Sprintf(format, args...))
}

// Before applies what people did with defects before log entry seq.
func (r *sessionRecomputation) Before(ctx context.Context, scratch store.Tx, seq int64) error {
	for len(r.pending) > 0 && r.pending[0].Seq < seq {
		c := r.pending[0]
		r.pending = r.pending[1:]
		d, err := store.As[store.DefectReader](scratch).Defect(ctx, r.SessionScope.Session.Org, c.ID)
		if err != nil && firemode.CodeOf(err) == firemode.CodeNotFound {
			r.differs("defects "+string(c.ID),
				"the audit log says that a person changed it, and it does not follow from the log")
			continue
		}
		if err != nil {
			return err
		}
		d.Status, d.Note, d.UpdatedAt = c.To, c.Note, c.At
		if err := store.As[store.DefectWriter](scratch).UpdateDefect(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// Compare compares what follows from the results and, if the audit log was read, from what people
// did with a defect.
func (r *sessionRecomputation) Compare(ctx context.Context, stored, rebuilt store.ReadTx) error {
	was, err := r.all(ctx, stored)
	if err != nil {
		return err
	}
	now, err := r.all(ctx, rebuilt)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(was)) {
		x, y := r.derivedOf(was[id]), r.derivedOf(now[id])
		delete(now, id)
		if x != y {
			r.differs("defects "+string(id), "it is stored as %+v and comes out as %+v", x, y)
		}
	}
	r.compareClassifications(was)
	for id := range now {
		r.differs("defects "+string(id), "it is missing")
	}
	return nil
}

// all returns the defects of the session.
func (r *sessionRecomputation) all(
	ctx context.Context, tx store.ReadTx,
) (map[firemode.DefectID]firemode.Defect, error) {
	s := r.SessionScope.Session
	reader := store.As[store.DefectReader](tx)
	all := map[firemode.DefectID]firemode.Defect{}
	list := func(p store.Page) ([]store.Keyed[firemode.Defect], error) {
		return reader.Defects(ctx, s.Org, store.DefectFilter{Session: s.ID}, p)
	}
	err := store.EachRow(list, func(d firemode.Defect) error {
		all[d.ID] = d
		return nil
	})
	return all, err
}

// derived is the part of a defect that follows from the log.
type derived struct {
	ID               firemode.DefectID
	Building         firemode.BuildingID
	Item             firemode.ItemID
	Rule             firemode.RuleCode
	Version          string
	Condition, Count string
	Status           firemode.DefectStatus
	Note             string
	Class            firemode.Class
	Last             firemode.Classification
	FoundBy          firemode.UserID
	FoundAt          int64
	Revision         int64 // counts the changes by results and people
	UpdatedAt        int64 // of the last change
}

func (r *sessionRecomputation) derivedOf(d firemode.Defect) derived {
	out := derived{
		ID: d.ID, Building: d.Building, Item: d.Item, Rule: d.Rule, Version: d.Version,
		Condition: d.Condition, Count: d.Count, Status: d.Status, Note: d.Note, Class: d.Class, FoundBy: d.FoundBy, FoundAt: store.Micros(d.FoundAt),
		Revision: d.Revision, UpdatedAt: store.Micros(d.UpdatedAt),
	}
	if !r.Audited {
		out.Note, out.Revision, out.UpdatedAt = "", 0, 0
		if out.Status != firemode.DefectWithdrawn {
			out.Status = firemode.DefectOpen // or another status that a person gave it
		}
	}
	if n := len(d.Classifications); n > 0 {
		out.Last = d.Classifications[n-1]
		out.Last.Audit, out.Last.At = "", firemode.Classification{}.At
	}
	return out
}

// compareClassifications compares each classification of each defect with its audit entry.
func (r *sessionRecomputation) compareClassifications(stored map[firemode.DefectID]firemode.Defect) {
	if !r.Audited {
		return
	}
	left := make(map[firemode.AuditID]ledger.AuditEntry, len(r.audited.classified))
	for _, e := range r.audited.classified {
		left[e.ID] = e
	}
	for _, id := range slices.Sorted(maps.Keys(stored)) {
		d := stored[id]
		for i, c := range d.Classifications {
			e, ok := left[c.Audit]
			delete(left, c.Audit)
			if !ok || !e.At.Equal(c.At) || !ledger.AuditSays(e, classificationEntry(d, c)) {
				r.differs("defects "+string(id), "classification %d differs from its audit entry %q", i, c.Audit)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		r.differs("defects", "the classification of audit entry %s is missing", id)
	}
}
