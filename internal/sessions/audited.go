package sessions

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"firemode"
	"firemode/internal/ledger"
)

// Actions in the audit log.
const (
	actionCreate   = "session.create" // the subject is the session
	actionDefect   = "defect.update"  // the subject is the defect
	actionClassify = "classify"       // the subject is the rule
)

// Audited is what an organisation's audit log says about its sessions, for Verify. It holds an entry for each session, judgement and
// change of a defect; hand every entry to Add, in order.
type Audited struct {
	created map[firemode.SessionID]firemode.AuditEntry
	judged  map[firemode.SessionID][]firemode.AuditEntry
	changed map[firemode.SessionID][]defectChange
}

// NewAudited returns an Audited of no entries.
func NewAudited() *Audited {
	return &Audited{
		created: map[firemode.SessionID]firemode.AuditEntry{}, judged: map[firemode.SessionID][]firemode.AuditEntry{},
		changed: map[firemode.SessionID][]defectChange{},
	}
}

// Add takes note of an entry if it is about a session.
func (a *Audited) Add(e firemode.AuditEntry) {
	var of struct {
		Session firemode.SessionID `json:"session_id"`
	}
	switch e.Action {
	case actionCreate:
		a.created[firemode.SessionID(e.Subject)] = e
	case actionClassify:
		if json.Unmarshal(e.Data, &of) == nil && of.Session != "" { // what POST /v1/classify judged is of no session
			a.judged[of.Session] = append(a.judged[of.Session], e)
		}
	case actionDefect:
		c := defectChange{ID: firemode.DefectID(e.Subject)}
		if json.Unmarshal(e.Data, &c) == nil {
			a.changed[c.Session] = append(a.changed[c.Session], c)
		}
	}
}

// Sessions are those that were made.
func (a *Audited) Sessions() map[firemode.SessionID]bool {
	made := make(map[firemode.SessionID]bool, len(a.created))
	for id := range a.created {
		made[id] = true
	}
	return made
}

// defectChange is what a person did with a defect: after log entry Seq of its session.
type defectChange struct {
	ID      firemode.DefectID     `json:"-"`
	Session firemode.SessionID    `json:"session_id"`
	To      firemode.DefectStatus `json:"to"`
	Note    string                `json:"note"`
	Seq     int64                 `json:"sequence"`
}

// creation is what the audit log keeps of a session as it was made.
type creation struct {
	Building  firemode.BuildingID `json:"building_id"`
	Frequency firemode.Frequency  `json:"frequency"`
	Items     int                 `json:"items"`
	Checks    int                 `json:"checks"`
	Digest    string              `json:"items_digest"` // over everything about the items that no result changes
}

func creationOf(s firemode.Session, items []firemode.Item) creation {
	return creation{Building: s.Building, Frequency: s.Frequency, Items: s.ItemCount, Checks: s.CheckCount, Digest: itemsDigest(items)}
}

func (c creation) data() map[string]any {
	return map[string]any{"building_id": c.Building, "frequency": c.Frequency, "items": c.Items, "checks": c.Checks, "items_digest": c.Digest}
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
func tells(e, want firemode.AuditEntry) bool {
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
