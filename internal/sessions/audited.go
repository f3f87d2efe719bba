package sessions

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Actions in the audit log.
const (
	actionCreate   = "session.create" // the subject is the session
	actionDefect   = "defect.update"  // the subject is the defect
	actionClassify = "classify"       // the subject is the rule
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
	case actionCreate:
		return firemode.SessionID(e.Subject)
	case actionClassify, actionDefect:
		if json.Unmarshal(e.Data, &of) == nil {
			return of.Session
		}
	}
	return ""
}

func (t *told) add(e ledger.AuditEntry) {
	switch e.Action {
	case actionCreate:
		t.created = e
	case actionClassify:
		t.judged = append(t.judged, e)
	case actionDefect:
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

// creation is what the audit log keeps of a session as it was made.
type creation struct {
	Building  firemode.BuildingID `json:"building_id"`
	Frequency firemode.Frequency  `json:"frequency"`
	Items     int                 `json:"items"`
	Checks    int                 `json:"checks"`
	Digest    string              `json:"items_digest"` // over everything about the items that no result changes
	// Secret is a hash of the session's secret, which is too long to be guessed from it. Entries of earlier binaries have none.
	Secret string `json:"secret_digest"`
}

func creationOf(s firemode.Session, secret []byte, items []firemode.Item) creation {
	return creation{
		Building: s.Building, Frequency: s.Frequency, Items: s.ItemCount, Checks: s.CheckCount, Digest: itemsDigest(items),
		Secret: base64.RawStdEncoding.EncodeToString(ledger.Hash("firemode session secret v1", secret)),
	}
}

func (c creation) data() map[string]any {
	return map[string]any{
		"building_id": c.Building, "frequency": c.Frequency, "items": c.Items, "checks": c.Checks, "items_digest": c.Digest, "secret_digest": c.Secret,
	}
}

// itemsDigest is a hash over what items were when their session was made: what was due, by which rules, with which baselines and
// readings of the visit before. It names every field, since it must come out the same when items have more of them.
func itemsDigest(items []firemode.Item) string {
	ordered := slices.SortedFunc(slices.Values(items), func(a, b firemode.Item) int { return cmp.Compare(a.ID, b.ID) })
	fields := make([][]byte, len(ordered))
	for n, i := range ordered {
		fields[n] = ledger.Hash("firemode item v1", []byte(i.ID), []byte(i.Kind), []byte(i.Type), []byte(i.Name), []byte(i.System),
			[]byte(i.Level), ledger.Number(int64(i.Position)), fmt.Append(nil, i.Listed), texts("locations", i.Location...), checksDigest(i.Checks),
			baselinesDigest(i.Baselines), lastDigest(i.Last))
	}
	return base64.RawStdEncoding.EncodeToString(ledger.Hash("firemode items v1", fields...))
}

func texts(domain string, list ...string) []byte {
	fields := make([][]byte, len(list))
	for i, s := range list {
		fields[i] = []byte(s)
	}
	return ledger.Hash(domain, fields...)
}

func checksDigest(checks []firemode.Check) []byte {
	fields := make([]string, 0, 2*len(checks))
	for _, c := range checks {
		fields = append(fields, string(c.Rule), c.Version)
	}
	return texts("checks", fields...)
}

func baselinesDigest(baselines []firemode.Baseline) []byte {
	var fields []string
	for _, b := range baselines {
		fields = append(fields, b.Measurement, b.Value, b.Unit, b.Source, b.Date)
	}
	return texts("baselines", fields...)
}

func lastDigest(last *firemode.LastResult) []byte {
	if last == nil {
		return texts("no last result")
	}
	fields := []string{string(last.Session), last.CompletedAt.UTC().Format(time.RFC3339Nano), last.Outcome}
	for _, name := range slices.Sorted(maps.Keys(last.Measurements)) {
		fields = append(fields, name, last.Measurements[name])
	}
	return texts("last result", fields...)
}

// tells reports whether an audit entry says what is expected of it. One that was made when entries said less says less.
func tells(e, want ledger.AuditEntry) bool {
	var said, expected map[string]json.RawMessage
	if json.Unmarshal(e.Data, &said) != nil || json.Unmarshal(want.Data, &expected) != nil || len(said) == 0 {
		return false
	}
	for name, value := range said {
		if string(value) != string(expected[name]) {
			return false
		}
	}
	return e.User == want.User && e.Subject == want.Subject
}
