package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/defects"
	"firemode/internal/identity"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/verify"
	"firemode/internal/record/view"
	"firemode/internal/rules"
	"firemode/internal/store"
	"firemode/internal/telemetry"
	"firemode/internal/visits"
)

const pressureRule = "AS1851-2012-FE-01"

// history records visits through the services, as requests would.
type history struct {
	*Services
	t    *testing.T
	keys int
}

func newHistory(t *testing.T, storage Storage) *history {
	t.Helper()
	metrics, err := telemetry.NewMetrics(telemetry.Config{})
	must(t, err)
	s, err := Open(
		t.Context(), storage, Deps{Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: metrics},
	)
	must(t, err)
	must(t, s.Prepare(t.Context()))
	t.Cleanup(func() { must(t, s.Close()) })
	return &history{Services: s, t: t}
}

// as returns the context of a user.
func (h *history) as(name string) context.Context {
	role := map[string]firemode.Role{"mia": firemode.RoleManager, "amy": firemode.RoleAdmin}[name]
	if role == "" {
		role = firemode.RoleTechnician
	}
	return firemode.WithPrincipal(
		h.t.Context(), firemode.Principal{Org: "acme", User: firemode.UserID(name), Name: name, Role: role},
	)
}

// post submits changes, given as JSON. It sets the client type and the capture time of m.
func (h *history) post(
	who string, session firemode.SessionID, m merge.Meta, changes ...string,
) (merge.Receipt, error) {
	h.t.Helper()
	raw := make([]jsontext.Value, len(changes))
	for i, c := range changes {
		raw[i] = jsontext.Value(c)
	}
	parsed, err := crdt.ParseChanges(raw)
	must(h.t, err)
	h.keys++
	m.ClientType, m.CapturedAt = "web", time.Date(2026, 11, 20, 3, h.keys, 0, 0, time.UTC)
	r, _, err := h.Merge.Submit(
		h.as(who),
		merge.Submission{Session: session, Key: fmt.Sprint("key ", h.keys), Changes: parsed, Meta: m},
	)
	return r, err
}

func (h *history) posted(who string, session firemode.SessionID, m merge.Meta, changes ...string) merge.Receipt {
	h.t.Helper()
	r, err := h.post(who, session, m, changes...)
	must(h.t, err)
	return r
}

// forked posts a batch that must be recognised as that of a copied phone.
func (h *history) forked(who string, session firemode.SessionID, m merge.Meta, changes ...string) string {
	h.t.Helper()
	_, err := h.post(who, session, m, changes...)
	var e *firemode.Error
	if !errors.As(err, &e) || e.FreshClientID == "" {
		h.t.Fatalf("it did not fork: %v", err)
	}
	return e.FreshClientID
}

func by(client string, number int64, seen ...int64) merge.Meta {
	m := merge.Meta{
		Client:  client,
		BatchID: fmt.Sprint(client, "-", number),
		Clock:   crdt.Clock{crdt.ActorID(client): number},
	}
	if number > 1 {
		m.PrevBatch = fmt.Sprint(client, "-", number-1)
	}
	for _, n := range seen {
		m.Clock["tab"] = n
	}
	return m
}

func setTo(item, below string, value any) string {
	text, _ := json.Marshal(value)
	return fmt.Sprintf(`{"op":"set","path":"/items/%s/%s","value":%s}`, item, below, text)
}

// pull reads the document as a client, and returns its conflicts.
func (h *history) pull(who string, session firemode.SessionID, client string) []ledger.Conflict {
	h.t.Helper()
	s := &reader{}
	must(h.t, h.Views.Results(h.as(who), view.Query{Session: session, Client: client}, s))
	return s.conflicts
}

// reader is a view.Sink.
type reader struct{ conflicts []ledger.Conflict }

func (*reader) Begin(view.Header) error    { return nil }
func (*reader) Leaf(crdt.Reading) error    { return nil }
func (*reader) Removed(crdt.Pointer) error { return nil }
func (*reader) Late(ledger.Entry) error    { return nil }
func (r *reader) Conflict(c ledger.Conflict) error {
	r.conflicts = append(r.conflicts, c)
	return nil
}

func (h *history) patch(session firemode.SessionID, p visits.Patch) {
	h.t.Helper()
	_, err := h.Visits.Patch(h.as("mia"), session, "*", p)
	must(h.t, err)
}

func (h *history) move(session firemode.SessionID, to firemode.SessionStatus) {
	h.t.Helper()
	h.patch(session, visits.Patch{Status: &to, Reason: "a batch came late"})
}

// pass records "pass" for all items of a session without an outcome.
func (h *history) pass(session firemode.SessionID, m merge.Meta) {
	h.t.Helper()
	items, err := h.Visits.Items(h.as("mia"), session, store.ItemFilter{}, store.Page{Limit: 100})
	must(h.t, err)
	var changes []string
	for _, i := range items {
		if i.Row.Outcome == "" {
			changes = append(changes, setTo(string(i.Row.ID), "outcome", "pass"))
		}
	}
	h.posted("ann", session, m, changes...)
}

// recordAll records an organisation with everything that can be in a history. Of three visits, one
// is completed, reopened and completed a second time, one shows its last results, and one has not
// begun.
func (h *history) recordAll() {
	ctx := h.t.Context()
	must(h.t, h.Identity.AddOrganisation(ctx, "acme", "Acme"))
	for name, role := range map[string]firemode.Role{"ann": "technician", "ben": "technician", "mia": "manager", "amy": "admin"} {
		_, err := h.Identity.CreateUser(
			identity.AsOperator(ctx, "acme"),
			identity.NewUser{
				ID:       firemode.UserID(name),
				Username: name + "@acme",
				FullName: name,
				Role:     role,
				Password: "correct horse battery",
			},
		)
		must(h.t, err)
	}
	h.recordRules()
	_, err := h.Assets.Create(
		h.as("mia"),
		assets.NewBuilding{ID: "b", Name: "B", Address: "A", Metadata: map[string]any{"storeys": 3.5}},
	)
	must(h.t, err)
	for _, id := range []firemode.AssetID{"FE-1", "FE-2"} {
		_, err := h.Assets.CreateAsset(h.as("mia"), "b", firemode.Asset{
			ID: id, Type: "extinguisher_powder", Level: "L02", Location: "corridor", Status: firemode.AssetInService,
		})
		must(h.t, err)
		_, err = h.Assets.PutBaselines(
			h.as("mia"),
			"b",
			id,
			[]firemode.Baseline{
				{Measurement: "mass_kg", Value: "4.50", Unit: "kg", Source: "plate", Date: "2024-02-29"},
			},
		)
		must(h.t, err)
	}
	h.plan("one", firemode.SixMonthly)
	h.recordVisit("one")
	h.resolveConflicts("one")
	h.recordLate("one")
	h.plan("two", firemode.SixMonthly)
	h.posted("ben", "two", by("phone", 1), setTo("FE-2", "note", "seal missing"))
	h.pull("ann", "two", "viewer")
	h.plan("three", firemode.Monthly)
}

func (h *history) plan(id firemode.SessionID, f firemode.Frequency) {
	h.t.Helper()
	_, err := h.Visits.Create(
		h.as("mia"),
		visits.Draft{
			ID:          id,
			Building:    "b",
			Name:        "Visit " + string(id),
			Frequency:   f,
			Technicians: []firemode.UserID{"ann", "ben"},
		},
	)
	must(h.t, err)
}

func (h *history) recordRules() {
	for _, version := range []string{"1.0.0", "1.1.0"} {
		text := `{"rule_code":"OWN","version":"` + version + `","rule_name":"Own","frequencies":["six_monthly"],"note":"ours","rule_schema":{"classification_mappings":{"broken":"critical_defect","bent":"non_conformance"},
			"limits":[{"measurement":"mass_kg","unit":"kg","min":4,"condition":"bent"}]}}`
		r, err := rules.ParseRule([]byte(text))
		must(h.t, err)
		_, err = h.Catalogue.Create(h.as("amy"), r)
		must(h.t, err)
	}
	for _, of := range []firemode.RuleCode{"OWN", "AS1851-2012-FE-02"} {
		version := map[bool]string{true: "1.0.0", false: "0.1.0"}[of == "OWN"]
		_, err := h.Catalogue.Deactivate(h.as("amy"), of, version)
		must(h.t, err)
	}
}

// recordVisit records two technicians at work: a gap that is closed, a copied phone, a client
// without batch numbers, defects.
func (h *history) recordVisit(s firemode.SessionID) {
	h.posted(
		"ann", s, by("tab", 1), setTo("FE-1", "outcome", "fail"),
		setTo("FE-1", "conditions/"+pressureRule+"/pressure_low", true),
		setTo("FE-2", "conditions/"+pressureRule+"/gauge_damaged", true), setTo("FE-1", "note", "hangs low"),
		`{"op":"set","path":"/items/FE-1/measurements/pressure_kpa","value":1180.50,"instrument":{"id":"G-17"},"source":"typed","captured_at":"2026-11-20T03:12:44Z"}`,
		`{"op":"set","path":"nowhere","value":1}`,
	)
	h.posted(
		"ben", s, by("phone", 1), setTo("FE-1", "measurements/pressure_kpa", 1200),
		setTo("FE-1", "reason", "looked twice"),
	)
	h.posted("ann", s, by("tab", 3), setTo("FE-1", "scope/"+pressureRule+"/only_unit_in_area", true))
	h.pull("ben", s, "phone")
	h.posted("ben", s, by("phone", 2, 1), `{"op":"remove","path":"/items/FE-1/note"}`)
	h.posted(
		"ann", s, by("tab", 2), `{"op":"append","path":"/items/FE-1/remarks","value":["a",1]}`,
		`{"op":"increment","path":"/hours","delta":2}`,
	)
	h.posted(
		"ben", s, merge.Meta{}, `{"op":"increment","path":"/hours","delta":1.25}`,
		setTo("FOUND-9", "note", "not in the register"),
	)
	fresh := h.forked("ann", s, by("tab", 3), setTo("FE-2", "note", "of the copy"))
	again := by(fresh, 1)
	again.PrevBatch = "tab-2"
	h.posted("ann", s, again, setTo("FE-2", "note", "of the copy"))
	h.forked("ben", s, by("phone", 1), setTo("FE-2", "note", "of another copy"))
	onBehalf := by("export", 1)
	onBehalf.OnBehalfOf = "ben"
	h.posted("mia", s, onBehalf, setTo("FE-2", "override/"+pressureRule+"/classification", "recommendation"))
	h.posted("ann", s, by("tab", 4), `{"op":"remove","path":"/items/FE-2/conditions"}`)
}

// resolveConflicts resolves the conflicts, and changes the status of a defect.
func (h *history) resolveConflicts(s firemode.SessionID) {
	number := int64(4)
	for _, c := range h.pull("ann", s, "tab") {
		number++
		var dots []string
		for _, v := range c.Values {
			dots = append(dots, v.Dot)
		}
		named, err := json.Marshal(dots)
		must(h.t, err)
		h.posted(
			"ann",
			s,
			by("tab", number),
			fmt.Sprintf(
				`{"op":"resolve","path":%q,"conflict_id":%q,"dots":%s,"reason":"looked again","value":1190}`,
				c.Path, c.ID, named,
			),
		)
	}
	h.posted(
		"ann",
		s,
		by("tab", number+1),
		fmt.Sprintf(
			`{"op":"correct","path":"/items/FE-1/measurements/pressure_kpa","value":1195,"dot":"tab:%d:0","reason":"misread"}`,
			number,
		),
	)
	defect := firemode.NewDefectID(s, "FE-1", pressureRule, "pressure_low")
	for status, note := range map[firemode.DefectStatus]string{firemode.DefectNotified: "owner told"} {
		_, err := h.Defects.Patch(h.as("mia"), defect, 0, defects.Patch{Status: &status, Note: &note})
		must(h.t, err)
	}
	h.pass(s, by("tab", number+2))
}

// recordLate completes the visit, submits two late batches, of which one is merged, and completes
// the visit a second time.
func (h *history) recordLate(s firemode.SessionID) {
	h.move(s, firemode.SessionCompleted)
	h.posted("ben", s, by("phone", 3), setTo("FE-2", "measurements/mass_kg", 4.55))
	h.move(s, firemode.SessionReopened)
	h.move(s, firemode.SessionCompleted)
	h.posted("ben", s, by("phone", 4), setTo("FE-2", "measurements/mass_kg", 4.56))
}

// differences verifies everything, and returns the differences.
func (h *history) differences() []string { return differences(h.t, h.Services) }

func differences(t *testing.T, s *Services) []string {
	t.Helper()
	var found []string
	v, err := s.Verifier(func(where, what string) { found = append(found, where+": "+what+"\n") }, nil)
	must(t, err)
	_, err = v.Run(t.Context(), verify.Scope{})
	must(t, err)
	return found
}
