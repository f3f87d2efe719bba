package main

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
	"firemode/internal/app"
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

// teller makes a history through the services, as requests would.
type teller struct {
	*app.Services
	t    *testing.T
	keys int
}

func newTeller(t *testing.T, storage app.Storage) *teller {
	t.Helper()
	metrics, err := telemetry.NewMetrics(telemetry.Config{})
	must(t, err)
	s, err := app.Open(
		t.Context(), storage, app.Deps{Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: metrics},
	)
	must(t, err)
	must(t, s.Prepare(t.Context()))
	t.Cleanup(func() { must(t, s.Close()) })
	return &teller{Services: s, t: t}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// as is the context of a user.
func (w *teller) as(name string) context.Context {
	role := map[string]firemode.Role{"mia": firemode.RoleManager, "amy": firemode.RoleAdmin}[name]
	if role == "" {
		role = firemode.RoleTechnician
	}
	return firemode.WithPrincipal(
		w.t.Context(), firemode.Principal{Org: "acme", User: firemode.UserID(name), Name: name, Role: role},
	)
}

// post is one POST of results: changes as JSON, meta with what is not zero.
func (w *teller) post(
	who string, session firemode.SessionID, m merge.Meta, changes ...string,
) (merge.Receipt, error) {
	w.t.Helper()
	raw := make([]jsontext.Value, len(changes))
	for i, c := range changes {
		raw[i] = jsontext.Value(c)
	}
	parsed, err := crdt.ParseChanges(raw)
	must(w.t, err)
	w.keys++
	m.ClientType, m.CapturedAt = "web", time.Date(2026, 11, 20, 3, w.keys, 0, 0, time.UTC)
	r, _, err := w.Merge.Submit(
		w.as(who),
		merge.Submission{Session: session, Key: fmt.Sprint("key ", w.keys), Changes: parsed, Meta: m},
	)
	return r, err
}

func (w *teller) posted(who string, session firemode.SessionID, m merge.Meta, changes ...string) merge.Receipt {
	w.t.Helper()
	r, err := w.post(who, session, m, changes...)
	must(w.t, err)
	return r
}

// forked posts a batch that must be taken for that of a copied phone.
func (w *teller) forked(who string, session firemode.SessionID, m merge.Meta, changes ...string) string {
	w.t.Helper()
	_, err := w.post(who, session, m, changes...)
	var e *firemode.Error
	if !errors.As(err, &e) || e.FreshClientID == "" {
		w.t.Fatalf("it did not fork: %v", err)
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

// pull reads the document as client, and returns its conflicts.
func (w *teller) pull(who string, session firemode.SessionID, client string) []ledger.Conflict {
	w.t.Helper()
	s := &reader{}
	must(w.t, w.Views.Results(w.as(who), view.Query{Session: session, Client: client}, s))
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

func (w *teller) patch(session firemode.SessionID, p visits.Patch) {
	w.t.Helper()
	_, err := w.Visits.Patch(w.as("mia"), session, "*", p)
	must(w.t, err)
}

func (w *teller) move(session firemode.SessionID, to firemode.SessionStatus) {
	w.t.Helper()
	w.patch(session, visits.Patch{Status: &to, Reason: "a batch came late"})
}

// pass has the items of a session pass that nothing was said about.
func (w *teller) pass(session firemode.SessionID, m merge.Meta) {
	w.t.Helper()
	items, err := w.Visits.Items(w.as("mia"), session, store.ItemFilter{}, store.Page{Limit: 100})
	must(w.t, err)
	var changes []string
	for _, i := range items {
		if i.Row.Outcome == "" {
			changes = append(changes, setTo(string(i.Row.ID), "outcome", "pass"))
		}
	}
	w.posted("ann", session, m, changes...)
}

// tellAll makes an organisation with everything that can be in a history: three visits, of which
// one was completed, reopened and completed again, one shows what was found at it, and one was
// never begun.
func (w *teller) tellAll() {
	ctx := w.t.Context()
	must(w.t, w.Identity.AddOrganisation(ctx, "acme", "Acme"))
	for name, role := range map[string]firemode.Role{"ann": "technician", "ben": "technician", "mia": "manager", "amy": "admin"} {
		_, err := w.Identity.CreateUser(
			identity.AsOperator(ctx, "acme"),
			identity.NewUser{
				ID:       firemode.UserID(name),
				Username: name + "@acme",
				FullName: name,
				Role:     role,
				Password: "correct horse battery",
			},
		)
		must(w.t, err)
	}
	w.tellRules()
	_, err := w.Assets.Create(
		w.as("mia"),
		assets.NewBuilding{ID: "b", Name: "B", Address: "A", Metadata: map[string]any{"storeys": 3.5}},
	)
	must(w.t, err)
	for _, id := range []firemode.AssetID{"FE-1", "FE-2"} {
		_, err := w.Assets.CreateAsset(w.as("mia"), "b", firemode.Asset{
			ID: id, Type: "extinguisher_powder", Level: "L02", Location: "corridor", Status: firemode.AssetInService,
		})
		must(w.t, err)
		_, err = w.Assets.PutBaselines(
			w.as("mia"),
			"b",
			id,
			[]firemode.Baseline{
				{Measurement: "mass_kg", Value: "4.50", Unit: "kg", Source: "plate", Date: "2024-02-29"},
			},
		)
		must(w.t, err)
	}
	w.plan("one", firemode.SixMonthly)
	w.tellVisit("one")
	w.tellAgreement("one")
	w.tellLate("one")
	w.plan("two", firemode.SixMonthly)
	w.posted("ben", "two", by("phone", 1), setTo("FE-2", "note", "seal missing"))
	w.pull("ann", "two", "viewer")
	w.plan("three", firemode.Monthly)
}

func (w *teller) plan(id firemode.SessionID, f firemode.Frequency) {
	w.t.Helper()
	_, err := w.Visits.Create(
		w.as("mia"),
		visits.Draft{
			ID:          id,
			Building:    "b",
			Name:        "Visit " + string(id),
			Frequency:   f,
			Technicians: []firemode.UserID{"ann", "ben"},
		},
	)
	must(w.t, err)
}

func (w *teller) tellRules() {
	for _, version := range []string{"1.0.0", "1.1.0"} {
		text := `{"rule_code":"OWN","version":"` + version + `","rule_name":"Own","frequencies":["six_monthly"],"note":"ours","rule_schema":{"classification_mappings":{"broken":"critical_defect","bent":"non_conformance"},
			"limits":[{"measurement":"mass_kg","unit":"kg","min":4,"condition":"bent"}]}}`
		r, err := rules.ParseRule([]byte(text))
		must(w.t, err)
		_, err = w.Catalogue.Create(w.as("amy"), r)
		must(w.t, err)
	}
	for _, of := range []firemode.RuleCode{"OWN", "AS1851-2012-FE-02"} {
		version := map[bool]string{true: "1.0.0", false: "0.1.0"}[of == "OWN"]
		_, err := w.Catalogue.Deactivate(w.as("amy"), of, version)
		must(w.t, err)
	}
}

// tellVisit is two technicians at work: a gap that is filled, a copied phone, a client that does
// not count, defects.
func (w *teller) tellVisit(s firemode.SessionID) {
	w.posted(
		"ann", s, by("tab", 1), setTo("FE-1", "outcome", "fail"),
		setTo("FE-1", "conditions/"+pressureRule+"/pressure_low", true),
		setTo("FE-2", "conditions/"+pressureRule+"/gauge_damaged", true), setTo("FE-1", "note", "hangs low"),
		`{"op":"set","path":"/items/FE-1/measurements/pressure_kpa","value":1180.50,"instrument":{"id":"G-17"},"source":"typed","captured_at":"2026-11-20T03:12:44Z"}`,
		`{"op":"set","path":"nowhere","value":1}`,
	)
	w.posted(
		"ben", s, by("phone", 1), setTo("FE-1", "measurements/pressure_kpa", 1200),
		setTo("FE-1", "reason", "looked twice"),
	)
	w.posted("ann", s, by("tab", 3), setTo("FE-1", "scope/"+pressureRule+"/only_unit_in_area", true))
	w.pull("ben", s, "phone")
	w.posted("ben", s, by("phone", 2, 1), `{"op":"remove","path":"/items/FE-1/note"}`)
	w.posted(
		"ann", s, by("tab", 2), `{"op":"append","path":"/items/FE-1/remarks","value":["a",1]}`,
		`{"op":"increment","path":"/hours","delta":2}`,
	)
	w.posted(
		"ben", s, merge.Meta{}, `{"op":"increment","path":"/hours","delta":1.25}`,
		setTo("FOUND-9", "note", "not in the register"),
	)
	fresh := w.forked("ann", s, by("tab", 3), setTo("FE-2", "note", "of the copy"))
	again := by(fresh, 1)
	again.PrevBatch = "tab-2"
	w.posted("ann", s, again, setTo("FE-2", "note", "of the copy"))
	w.forked("ben", s, by("phone", 1), setTo("FE-2", "note", "of another copy"))
	onBehalf := by("export", 1)
	onBehalf.OnBehalfOf = "ben"
	w.posted("mia", s, onBehalf, setTo("FE-2", "override/"+pressureRule+"/classification", "recommendation"))
	w.posted("ann", s, by("tab", 4), `{"op":"remove","path":"/items/FE-2/conditions"}`)
}

// tellAgreement settles what is in dispute, and moves a defect on.
func (w *teller) tellAgreement(s firemode.SessionID) {
	number := int64(4)
	for _, c := range w.pull("ann", s, "tab") {
		number++
		var dots []string
		for _, v := range c.Values {
			dots = append(dots, v.Dot)
		}
		named, err := json.Marshal(dots)
		must(w.t, err)
		w.posted(
			"ann",
			s,
			by("tab", number),
			fmt.Sprintf(
				`{"op":"resolve","path":%q,"conflict_id":%q,"dots":%s,"reason":"looked again","value":1190}`,
				c.Path, c.ID, named,
			),
		)
	}
	w.posted(
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
		_, err := w.Defects.Patch(w.as("mia"), defect, 0, defects.Patch{Status: &status, Note: &note})
		must(w.t, err)
	}
	w.pass(s, by("tab", number+2))
}

// tellLate completes the visit, takes two late batches, of which one is merged, and completes it
// again.
func (w *teller) tellLate(s firemode.SessionID) {
	w.move(s, firemode.SessionCompleted)
	w.posted("ben", s, by("phone", 3), setTo("FE-2", "measurements/mass_kg", 4.55))
	w.move(s, firemode.SessionReopened)
	w.move(s, firemode.SessionCompleted)
	w.posted("ben", s, by("phone", 4), setTo("FE-2", "measurements/mass_kg", 4.56))
}

// differences verifies everything, and returns what differs.
func (w *teller) differences() []string { return differences(w.t, w.Services) }

func differences(t *testing.T, s *app.Services) []string {
	t.Helper()
	var found []string
	v, err := s.Verifier(func(where, what string) { found = append(found, where+": "+what+"\n") }, nil)
	must(t, err)
	_, err = v.Run(t.Context(), verify.Scope{})
	must(t, err)
	return found
}

// lines keeps what is written, line by line.
type lines []string

func (l *lines) Write(p []byte) (int, error) {
	*l = append(*l, string(p))
	return len(p), nil
}
