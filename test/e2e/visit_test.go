package e2e

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"firemode"
	"firemode/client"
	"firemode/internal/seed"
)

// visit is a yearly service of Harbour Tower while it is made.
type visit struct {
	*testing.T
	people
	server   server
	proxy    *proxy // before the server, in anna's way
	building firemode.BuildingID
	session  firemode.SessionID
	began    time.Time

	anna, ben, erin *client.Device // ben's clock is a day fast
	backup          client.State   // of ben's phone, from yesterday
	items           []client.Item  // in walking order
	notes           notes          // what was recorded, to be compared with what the server says
}

// This is the visit that the product is for. Two technicians work apart for most of it, and
// whatever can happen to their phones does; in the end everything is in, what disagrees is shown
// with who and when, and only a person can settle it.
func TestVisit_TwoTechniciansOffline_NothingIsLost(t *testing.T) {
	onEachEngine(t, func(t *testing.T, storage []string) {
		v := &visit{T: t, began: time.Now().Add(-time.Second)}
		v.server, v.people = newOrganisation(t, storage)
		v.importRegister()
		v.plan()
		v.takeBundles()
		v.benWorksAndIsBackedUp()
		v.benSendsOutOfOrderAndTwice()
		v.annaLosesAnAnswer()
		v.benGoesOnFromTheBackup()
		v.everythingIsIn()
		v.disputesShowWhoAndWhen()
		v.defectsCarryTheirRule()
		v.completionIsRefused()
		v.erinSettlesEverything()
		v.completes()
		v.everybodyHoldsTheSame()
		v.theNextVisitKnows()
	})
}

func (v *visit) importRegister() {
	b := must(
		v.manager.CreateBuilding(
			v.Context(), client.NewBuilding{Name: "Harbour Tower", Address: "1 Quay Street, Sydney"},
		),
	)(v.T)
	v.building = b.ID
	rejected := map[string]bool{"FE-902": true, "": true, "FE-901": true, "DA-059": true, "XX-900": true}
	for _, step := range []struct {
		dryRun                      bool
		created, updated, unchanged int
	}{{true, 460, 0, 0}, {false, 460, 0, 0}, {false, 0, 0, 460}, {true, 0, 0, 460}} {
		r := must(v.manager.ImportAssets(v.Context(), b.ID, bytes.NewReader(seed.HarbourTowerCSV()), step.dryRun))(v.T)
		if r.Created != step.created || r.Updated != step.updated || r.Unchanged != step.unchanged ||
			len(r.Rejected) != len(rejected) {
			v.Fatalf("import, dry run %v: %+v", step.dryRun, r)
		}
		for _, row := range r.Rejected {
			if !rejected[row.AssetID] || row.Reason == "" {
				v.Errorf("row %d, %s, was rejected: %s", row.Line, row.AssetID, row.Reason)
			}
		}
	}
	var exported bytes.Buffer
	if err := v.manager.ExportAssets(v.Context(), b.ID, &exported); err != nil {
		v.Fatal(err)
	}
	again := must(v.manager.ImportAssets(v.Context(), b.ID, &exported, false))(v.T)
	if again.Unchanged != 460 || again.Created+again.Updated+len(again.Rejected) != 0 {
		v.Errorf("the export imported again: %+v", again)
	}
}

func (v *visit) plan() {
	s := must(v.manager.CreateSession(v.Context(), client.NewSession{
		Building:    v.building,
		Name:        "Yearly service",
		Frequency:   firemode.Yearly,
		Technicians: []firemode.UserID{v.annaID, v.benID},
	}))(v.T)
	if s.Items != 472 || s.Checks != 2426 || s.Status != firemode.SessionPending || len(s.Clock) != 0 {
		v.Fatalf("the session is %+v; want 472 items with 2426 checks, pending", s)
	}
	v.session = s.ID
}

func (v *visit) takeBundles() {
	v.proxy = before(v.T, v.server)
	v.anna = client.NewDevice(login(v.T, v.proxy.url, "anna@acme"), v.session, client.DeviceConfig{})
	v.ben = client.NewDevice(v.people.ben, v.session, client.DeviceConfig{Now: dayFast})
	v.erin = client.NewDevice(v.people.erin, v.session, client.DeviceConfig{})
	for _, d := range []*client.Device{v.anna, v.ben} {
		b := must(d.Bundle(v.Context()))(v.T)
		if len(b.Data.Items) != 472 || len(b.Data.Assets) != 460 || b.Data.Building.ID != v.building ||
			len(b.Clock) != 0 {
			v.Fatalf(
				"the bundle has %d items and %d assets of %s, clock %v", len(b.Data.Items), len(b.Data.Assets),
				b.Data.Building.ID, b.Clock,
			)
		}
		v.items = b.Data.Items
	}
	v.notes = newNotes(v.items)
}

func dayFast() time.Time { return time.Now().Add(24 * time.Hour) }

// benWorksAndIsBackedUp: ben's first 40 items are in, and his phone is backed up.
func (v *visit) benWorksAndIsBackedUp() {
	v.notes.record(v.ben, v.benID, walk(v.items[220:260], "1080")...)
	r := must(v.ben.Sync(v.Context()))(v.T)
	if len(r.Receipts) != 1 || r.Receipts[0].Applied != 40*2+4 || len(r.Forks) != 0 {
		v.Fatalf("ben's first sync: %+v", r)
	}
	v.backup = must(v.ben.Clone())(v.T)
}

// benSendsOutOfOrderAndTwice: batch 3 comes before batch 2, and then again, once as a retry and
// once as if it were new.
func (v *visit) benSendsOutOfOrderAndTwice() {
	v.notes.record(v.ben, v.benID, walk(v.items[260:300], "1090")...)
	v.notes.record(v.ben, v.benID, walk(v.items[300:340], "1100")...)
	third := v.ben.Pending()[1]
	send := func(key string) client.Receipt {
		return must(v.people.ben.SubmitResults(v.Context(), v.session, key, third.Submission(dayFast())))(v.T)
	}
	first := send(third.Key())
	if first.Applied != 84 || len(first.Missing) != 1 || first.Missing[0] != [2]int64{2, 2} {
		v.Fatalf("batch 3 before batch 2: applied %d, missing %v", first.Applied, first.Missing)
	}
	v.gapIsShown()
	if again := send(third.Key()); !again.Replayed || again.Applied != first.Applied ||
		!again.ProcessedAt.Equal(first.ProcessedAt) {
		v.Errorf("the same request again: %+v", again)
	}
	if again := send("another key"); again.Replayed || again.Applied != 0 || again.Duplicates != 84 {
		v.Errorf("the same batch in another request: applied %d, duplicates %d", again.Applied, again.Duplicates)
	}
	v.ben.Acknowledge(third, first)
	r := must(v.ben.Sync(v.Context()))(v.T)
	if len(r.Receipts) != 1 || r.Receipts[0].Applied != 84 || len(r.Receipts[0].Missing) != 0 {
		v.Fatalf("batch 2 after batch 3: %+v", r)
	}
}

func (v *visit) gapIsShown() {
	s := must(v.manager.SyncStatus(v.Context(), v.session))(v.T)
	i := slices.IndexFunc(s.Clients, func(c client.SyncClient) bool { return c.Client == v.ben.Client })
	if s.Gaps != 1 || i < 0 || s.Clients[i].Prefix != 1 || len(s.Clients[i].Missing) != 1 ||
		s.Clients[i].Missing[0] != [2]int64{2, 2} {
		v.Errorf("the gap is not shown: %+v", s)
	}
	if details := v.refusal(); details["clients/"+v.ben.Client] == "" {
		v.Errorf("the gap does not hinder completion: %v", details)
	}
}

// annaLosesAnAnswer: the server has committed her first batch when her connection breaks.
func (v *visit) annaLosesAnAnswer() {
	for part := range slices.Chunk(v.items[:240], 40) {
		v.notes.record(v.anna, v.annaID, walk(part, "1180")...)
	}
	v.notes.record(
		v.anna, v.annaID, client.Set(client.ItemPath(v.notes.low, "measurements", "handle_height_mm"), []byte("1150")),
	)
	v.notes.record(v.anna, v.annaID, client.Set(client.ItemPath(v.notes.mute, "outcome"), client.Text("fail")))
	v.proxy.loseNext()
	r := must(v.anna.Sync(v.Context()))(v.T)
	if v.proxy.lost.Load() != 1 || len(r.Receipts) != 8 || !r.Receipts[0].Replayed {
		v.Fatalf("lost %d answers, then: %+v", v.proxy.lost.Load(), r)
	}
	for i, receipt := range r.Receipts {
		if want := []int{84, 84, 84, 84, 84, 84, 1, 1}[i]; receipt.Applied != want || receipt.Replayed != (i == 0) ||
			len(receipt.Flags) != 0 {
			v.Errorf("batch %d: %+v", i+1, receipt)
		}
	}
	if n := len(r.Receipts[5].Conflicts); n != 20 {
		v.Errorf("her last forty items met %d conflicts, want 20", n)
	}
}

// benGoesOnFromTheBackup: his phone is gone; another one takes over yesterday's state, which has
// not heard of batches 2 and 3.
func (v *visit) benGoesOnFromTheBackup() {
	lost := v.ben.Client
	v.ben = client.RestoreDevice(v.people.ben, v.backup, client.DeviceConfig{Now: dayFast})
	for part := range slices.Chunk(v.items[340:460], 40) {
		v.notes.record(v.ben, v.benID, walk(part, "1110")...)
	}
	v.notes.record(
		v.ben,
		v.benID,
		client.Set(
			client.ItemPath(v.items[300].ID, "measurements", "pressure_kpa"), []byte("1101"),
		), // read again, unaware of the lost phone's reading
		client.Set(client.ItemPath(v.notes.low, "measurements", "handle_height_mm"), []byte("1250")),
		client.Set(client.ItemPath(v.items[101].ID, "outcome"), client.Text("fail")),
		seen(v.items[101]),
		client.Set(client.ItemPath(v.notes.only, "scope", "AS1851-2012-FE-01", "only_unit_in_area"), []byte("true")),
		client.Set(client.ItemPath(v.notes.only, "conditions", "AS1851-2012-FE-01", "pressure_low"), []byte("true")),
	)
	r := must(v.ben.Sync(v.Context()))(v.T)
	if len(r.Forks) != 1 || v.ben.Client != r.Forks[0] || v.ben.Client == lost || len(r.Receipts) != 4 {
		v.Fatalf("the restored phone's sync: %+v", r)
	}
	v.notes.rename(&v.ben.State)
	for i, receipt := range r.Receipts {
		if want := []int{84, 84, 84, 6}[i]; receipt.Applied != want || len(receipt.Missing) != 0 {
			v.Errorf("batch %d under the fresh id: %+v", i+1, receipt)
		}
	}
	if again := must(v.ben.Sync(v.Context()))(v.T); len(again.Receipts) != 0 || len(again.Forks) != 0 {
		v.Errorf("nothing was left to send, but: %+v", again)
	}
}
