package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"firemode"
	"firemode/client"
	"firemode/internal/record/crdt"
)

// everythingIsIn: the document that nobody in particular reads is what was recorded.
func (v *visit) everythingIsIn() {
	got := must(v.manager.Results(v.Context(), v.session, client.ResultsQuery{}))(v.T)
	if !got.Complete || string(got.Document) != v.notes.document(v.T) {
		v.Fatalf("the document is not what was recorded:\n%s\nwant\n%s", got.Document, v.notes.document(v.T))
	}
	if len(got.Removed) != 0 || len(got.Late) != 0 {
		v.Errorf("removed %v, late %v", got.Removed, got.Late)
	}
	s := must(v.manager.SyncStatus(v.Context(), v.session))(v.T)
	if s.Gaps != 0 || s.Conflicts != 23 || s.Status != firemode.SessionActive {
		v.Errorf("the session has %d gaps and %d conflicts and is %s", s.Gaps, s.Conflicts, s.Status)
	}
}

// disputesShowWhoAndWhen: every disputed reading is there with its writer, phone and times, the
// wrong clock is named, and nothing else is in dispute.
func (v *visit) disputesShowWhoAndWhen() {
	got := must(v.manager.Results(v.Context(), v.session, client.ResultsQuery{}))(v.T)
	var paths []client.Pointer
	for _, c := range got.Conflicts {
		paths = append(paths, c.Path)
		v.disputeIsWhole(c)
	}
	slices.Sort(paths)
	if want := v.notes.disputed(); !slices.Equal(paths, want) {
		v.Errorf("in dispute are %v, want %v", paths, want)
	}
}

func (v *visit) disputeIsWhole(c client.Conflict) {
	want := slices.Clone(v.notes.readings[c.Path])
	slices.Reverse(want) // the shown one first
	if c.Kind != client.ConflictValue || c.Count != len(want) || len(c.Values) != len(want) {
		v.Errorf("%s: %+v, want %v", c.Path, c, want)
		return
	}
	for i, got := range c.Values {
		is := reading{string(got.Value), want[i].by, got.User, want[i].batch, got.Client, got.CapturedAt.UTC()}
		if is != want[i] {
			v.Errorf("%s: value %d is %+v, want %+v", c.Path, i, is, want[i])
		}
		flags := []string{}
		if got.User == v.benID {
			flags = []string{"clock_corrected"}
		}
		if !slices.Equal(got.Flags, flags) || got.ReceivedAt.Before(v.began) || got.ReceivedAt.After(time.Now()) {
			v.Errorf("%s: value %d has flags %v and was received at %s", c.Path, i, got.Flags, got.ReceivedAt)
		}
		if strings.HasSuffix(string(c.Path), "pressure_kpa") && i == len(want)-1 &&
			(got.Instrument == nil || got.Instrument.ID != "G-17" || got.Source != "typed") {
			v.Errorf("%s: the instrument is %v, the source %q", c.Path, got.Instrument, got.Source)
		}
	}
}

// defectsCarryTheirRule expects one defect per finding, classified by the rule version of its item.
func (v *visit) defectsCarryTheirRule() {
	want := map[string]string{
		fmt.Sprintf("%s mounting_height_incorrect", v.notes.low): fmt.Sprintf(
			"AS1851-2012-FE-02 0.1.0 non_conformance default open %s", v.benID,
		),
		fmt.Sprintf("%s pressure_low", v.notes.only): fmt.Sprintf(
			"AS1851-2012-FE-01 0.1.0 critical_defect escalated open %s", v.benID,
		),
	}
	note := func(item client.Item, user firemode.UserID) {
		check, condition := firstCondition(item)
		want[string(item.ID)+" "+condition] = fmt.Sprintf(
			"%s %s %s default open %s", check.Rule, check.Version, check.Conditions[condition], user,
		)
	}
	for i := 0; i < 460; i += 10 {
		note(v.items[i], map[bool]firemode.UserID{true: v.annaID, false: v.benID}[i < 220])
	}
	note(v.items[101], v.benID)
	got := map[string]string{}
	defects := v.manager.Defects(v.Context(), client.DefectFilter{Session: v.session})
	for _, d := range must(client.Collect(defects))(v.T) {
		judged := d.Classifications[len(d.Classifications)-1]
		got[string(d.Item)+" "+d.Condition] = fmt.Sprintf(
			"%s %s %s %s %s %s", d.Rule, d.Version, d.Class, judged.Basis, d.Status, d.FoundBy,
		)
		if judged.Class != d.Class || judged.Rule != d.Rule || judged.Version != d.Version || judged.Audit == "" ||
			judged.At.Before(v.began) {
			v.Errorf("the judgement of %s %s is %+v", d.Item, d.Condition, judged)
		}
	}
	v.same("defects", got, want)
}

// same compares two maps entry by entry.
func (v *visit) same(what string, got, want map[string]string) {
	v.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			v.Errorf("%s: %s is %q, want %q", what, key, got[key], want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, wanted := want[key]; !wanted {
			v.Errorf("%s: %s is there, with %q", what, key, got[key])
		}
	}
}

// refusal asks for completion, which must be refused, and returns what stands in its way.
func (v *visit) refusal() map[string]string {
	v.Helper()
	s := must(v.manager.Session(v.Context(), v.session))(v.T)
	_, err := v.manager.PatchSession(
		v.Context(), v.session, s.ETag, client.SessionPatch{Status: firemode.SessionCompleted},
	)
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusConflict || refused.Retryable {
		v.Fatalf("completion: %v", err)
	}
	details := map[string]string{}
	for _, d := range refused.Details {
		details[d.Field] = d.Reason
	}
	return details
}

// completionIsRefused, and the refusal lists exactly what is missing.
func (v *visit) completionIsRefused() {
	want := map[string]string{"items/" + string(v.notes.mute): "the item failed without saying what was seen"}
	for _, item := range v.items[460:] {
		want["items/"+string(item.ID)] = "untouched"
	}
	for _, p := range v.notes.disputed() {
		want[string(p)] = "2 readings are in dispute (value)"
		want["items/"+strings.Split(string(p), "/")[2]] = "readings are in dispute"
	}
	v.same("what hinders completion", v.refusal(), want)
}

// erinSettlesEverything: the engineer, who syncs last, holds what the others do, and answers what
// is open.
func (v *visit) erinSettlesEverything() {
	must(v.erin.Sync(v.Context()))(v.T)
	v.everybodyHoldsTheSame()
	for _, p := range slices.Sorted(maps.Keys(v.erin.Conflicts)) {
		c := v.erin.Conflicts[p]
		value := c.Values[len(c.Values)-1].Value // the earliest
		if strings.HasSuffix(string(p), "/outcome") {
			value = client.Text("fail")
		}
		v.erin.Record(client.Resolve(c, value, "read again together with both"))
		v.notes.settle(p, string(value))
	}
	for _, item := range v.items[460:] {
		v.notes.record(
			v.erin, v.erinID, client.Set(client.ItemPath(item.ID, "outcome"), client.Text("not_tested")),
			client.Set(client.ItemPath(item.ID, "reason"), client.Text("no access")),
		)
	}
	v.notes.record(
		v.erin, v.erinID,
		client.Set(client.ItemPath(v.notes.mute, "conditions", "AS1851-2012-FE-01", "pressure_low"), []byte("true")),
	)
	r := must(v.erin.Sync(v.Context()))(v.T)
	for _, receipt := range r.Receipts {
		for _, result := range receipt.Results {
			if result.Status != "applied" {
				v.Errorf("a change of the engineer was %s: %s", result.Status, result.Reason)
			}
		}
	}
	if len(r.Receipts) != 23+12+1 || len(v.erin.Conflicts) != 0 {
		v.Errorf("%d batches, %d conflicts left", len(r.Receipts), len(v.erin.Conflicts))
	}
	past := must(
		client.Collect(v.manager.History(v.Context(), v.session, client.ItemPath(v.notes.low, "measurements"))),
	)(v.T)
	var told []string
	for _, p := range past {
		if strings.HasSuffix(string(p.Path), "handle_height_mm") {
			told = append(told, fmt.Sprintf("%s %s %v", p.Op, p.Value, p.Live))
		}
	}
	if want := []string{"resolve 1150 true", "set 1250 false", "set 1150 false"}; !slices.Equal(told, want) {
		v.Errorf("history tells %v, want %v", told, want)
	}
}

// completes: the session is as it was read, and nothing is missing any more.
func (v *visit) completes() {
	s := must(v.manager.Session(v.Context(), v.session))(v.T)
	if s.Done != 472 || s.Conflicts != 0 || s.Gaps != 0 {
		v.Fatalf("before completion: %+v", s)
	}
	if _, err := v.manager.PatchSession(
		v.Context(), v.session, `"stale"`, client.SessionPatch{Status: firemode.SessionCompleted},
	); client.StatusOf(err) != http.StatusPreconditionFailed {
		v.Errorf("with a stale tag: %v", err)
	}
	done := must(
		v.manager.PatchSession(v.Context(), v.session, s.ETag, client.SessionPatch{Status: firemode.SessionCompleted}),
	)(v.T)
	if done.Status != firemode.SessionCompleted || done.CompletedAt.Before(v.began) {
		v.Errorf("after completion: %+v", done)
	}
	withdrawn := client.DefectFilter{Session: v.session, Statuses: []firemode.DefectStatus{firemode.DefectWithdrawn}}
	gone := must(client.Collect(v.manager.Defects(v.Context(), withdrawn)))(v.T)
	if len(gone) != 1 || gone[0].Item != v.notes.low || gone[0].Condition != "mounting_height_incorrect" {
		v.Errorf("withdrawn are %+v", gone)
	}
}

// everybodyHoldsTheSame: what each phone put together from its bundle and its deltas is, byte for
// byte, what the server gives to each of them and what was recorded.
func (v *visit) everybodyHoldsTheSame() {
	want := v.notes.document(v.T)
	open := must(v.manager.Results(v.Context(), v.session, client.ResultsQuery{}))(v.T).Conflicts
	for name, d := range map[string]*client.Device{"anna": v.anna, "ben": v.ben, "erin": v.erin} {
		must(d.Sync(v.Context()))(v.T)
		if held := string(must(d.Document.MarshalJSON())(v.T)); held != want {
			v.Errorf("%s holds\n%s\nwant\n%s", name, held, want)
		}
		if len(d.Pending()) != 0 || len(d.Rejected) != 0 {
			v.Errorf("%s has %d batches pending and %d changes rejected", name, len(d.Pending()), len(d.Rejected))
		}
		held := make([]client.Conflict, 0, len(d.Conflicts))
		byKey := func(a, b client.Pointer) int {
			return strings.Compare(crdt.Pointer(a).Key(), crdt.Pointer(b).Key())
		}
		for _, p := range slices.SortedFunc(maps.Keys(d.Conflicts), byKey) {
			held = append(held, d.Conflicts[p])
		}
		if a, b := text(v, held), text(v, open); a != b {
			v.Errorf("%s holds the conflicts\n%s\nwant\n%s", name, a, b)
		}
	}
	people := map[string]*client.Client{"anna": v.people.anna, "ben": v.people.ben, "erin": v.people.erin}
	for name, api := range people {
		if got := must(api.Results(v.Context(), v.session, client.ResultsQuery{}))(v.T); string(got.Document) != want {
			v.Errorf("%s is given\n%s\nwant\n%s", name, got.Document, want)
		}
	}
}

func text(v *visit, value any) string {
	return string(must(json.Marshal(value))(v.T))
}

// theNextVisitKnows what this one left open, and what it found.
func (v *visit) theNextVisitKnows() {
	open := must(
		client.Collect(
			v.manager.Defects(
				v.Context(),
				client.DefectFilter{Session: v.session, Statuses: []firemode.DefectStatus{firemode.DefectOpen}},
			),
		),
	)(v.T)
	s := must(
		v.manager.CreateSession(
			v.Context(),
			client.NewSession{Building: v.building, Name: "Six-monthly service", Frequency: firemode.SixMonthly},
		),
	)(v.T)
	if s.Items != 302 || s.Checks != 1968 {
		v.Errorf("the next session has %d items with %d checks", s.Items, s.Checks)
	}
	b := must(client.NewDevice(v.people.anna, s.ID, client.DeviceConfig{}).Bundle(v.Context()))(v.T)
	ids := func(list []client.Defect) (all []string) {
		for _, d := range list {
			all = append(all, string(d.ID))
		}
		return all
	}
	if got, want := ids(b.Data.Faults), ids(open); len(want) != 46+1+1+1 || !slices.Equal(got, want) {
		v.Errorf("%d prior faults, want %d: those that are open", len(got), len(want))
	}
	i := slices.IndexFunc(b.Data.Items, func(item client.Item) bool { return item.ID == v.notes.low })
	last := b.Data.Items[i].Last
	if last == nil || last.Session != v.session || last.Outcome != "pass" ||
		string(last.Measurements["handle_height_mm"]) != "1150" {
		v.Errorf("of %s the last visit is said to have found %+v", v.notes.low, last)
	}
}
