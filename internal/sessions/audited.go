package sessions

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Audited is what an organisation's audit log says about its sessions, for Verify. It holds an entry for each session, judgement and
// change of a defect; hand every entry to Add, in order. What is logged after the last one Verify reads itself, so that others may
// go on writing.
type Audited struct {
	last     int64
	sessions map[firemode.SessionID]told
}

// told is what the audit log says about one session.
type told struct {
	created ledger.AuditEntry // of no number when there is none
	judged  []ledger.AuditEntry
	changed []defectChange
}

// NewAudited returns an Audited of no entries.
func NewAudited() *Audited { return &Audited{sessions: map[firemode.SessionID]told{}} }

// Add takes note of an entry if it is about a session.
func (a *Audited) Add(e ledger.AuditEntry) {
	a.last = e.Seq
	if id := about(e); id != "" {
		t := a.sessions[id]
		t.add(e)
		a.sessions[id] = t
	}
}

// about is the session that an entry is about, "" for none. What POST /v1/classify judged is of none.
func about(e ledger.AuditEntry) firemode.SessionID {
	var of struct {
		Session firemode.SessionID `json:"session_id"`
	}
	switch e.Action {
	case ledger.ActionCreateSession:
		return firemode.SessionID(e.Subject)
	case ledger.ActionClassify, ledger.ActionUpdateDefect:
		if json.Unmarshal(e.Data, &of) == nil {
			return of.Session
		}
	}
	return ""
}

func (t *told) add(e ledger.AuditEntry) {
	switch e.Action {
	case ledger.ActionCreateSession:
		t.created = e
	case ledger.ActionClassify:
		t.judged = append(t.judged, e)
	case ledger.ActionUpdateDefect:
		c := defectChange{ID: firemode.DefectID(e.Subject), At: e.At}
		if json.Unmarshal(e.Data, &c) == nil {
			t.changed = append(t.changed, c)
		}
	}
}

// of is what is said about a session, up to what tx shows.
func (a *Audited) of(ctx context.Context, tx store.ReadTx, at ledger.SessionRef) (told, error) {
	t := a.sessions[at.Session]
	t.judged, t.changed = slices.Clone(t.judged), slices.Clone(t.changed)
	newer, err := a.newer(ctx, tx, at.Org)
	for _, e := range slices.Backward(newer) {
		if about(e) == at.Session {
			t.add(e)
		}
	}
	return t, err
}

// newer is what was logged after the last entry that was added, newest first.
func (a *Audited) newer(ctx context.Context, tx store.ReadTx, org firemode.OrgID) (newer []ledger.AuditEntry, err error) {
	end, _, err := store.As[store.AuditReader](tx).AuditEnd(ctx, org)
	for after := ""; err == nil && end-a.last > int64(len(newer)); {
		var page []store.Keyed[ledger.AuditEntry]
		page, err = store.As[store.AuditReader](tx).Audits(ctx, org, "", store.Page{After: after, Limit: 100})
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e.Row.Seq > a.last {
				newer = append(newer, e.Row)
			}
			after = e.Key
		}
	}
	return newer, err
}

// Sessions are those that were made.
func (a *Audited) Sessions() map[firemode.SessionID]bool {
	made := make(map[firemode.SessionID]bool, len(a.sessions))
	for id, t := range a.sessions {
		if t.created.Seq > 0 {
			made[id] = true
		}
	}
	return made
}

// defectChange is what a person did with a defect: after log entry Seq of its session.
type defectChange struct {
	ID   firemode.DefectID     `json:"-"`
	At   time.Time             `json:"-"`
	To   firemode.DefectStatus `json:"to"`
	Note string                `json:"note"`
	Seq  int64                 `json:"sequence"`
}
