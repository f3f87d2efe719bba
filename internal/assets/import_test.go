package assets_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/seed"
	"firemode/internal/store"
)

func TestImport_HarbourTower_RejectsFiveRows(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	file := seed.HarbourTowerCSV()
	five := []string{
		"86 FE-902 the barcode 933617040878 is already on line 2",
		"293  the id is missing",
		`415 FE-901 installed: "31/02/2020" is not a day in the calendar`,
		"435 DA-059 the id is already on line 173",
		`470 XX-900 "Halon 1211 bottle" is no known type of asset`,
	}
	report, err := o.Import(ctx, tower, bytes.NewReader(file), true)
	o.must(err)
	wantReport(t, report, 460, 0, 0, five...)
	if n := len(o.register(tower)); n != 0 {
		t.Fatalf("the dry run wrote %d assets", n)
	}
	wantReport(t, o.load(tower, string(file)), 460, 0, 0, five...)
	before := o.register(tower)
	if len(before) != 460 {
		t.Fatalf("%d assets, want 460", len(before))
	}
	wantReport(t, o.load(tower, string(file)), 0, 0, 460, five...)

	var exported bytes.Buffer
	o.must(o.Export(ctx, tower, &exported))
	wantReport(t, o.load(tower, exported.String()), 0, 0, 460)
	if diff := cmp.Diff(before, o.register(tower)); diff != "" {
		t.Errorf("importing again changed\n%s", diff)
	}
	said, last := o.audits()
	entries := []string{"building.create tower", "assets.import tower", "assets.import tower", "assets.import tower"}
	if !slices.Equal(said, entries) {
		t.Errorf("audit log %q, want %q", said, entries)
	}
	delete(last, "sha256")
	want := map[string]any{"created": 0.0, "updated": 0.0, "unchanged": 460.0, "rejected": 0.0}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("audit data (-want +got)\n%s", diff)
	}
}

func TestImport_MissingColumnsAndBlankCells(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	tower := o.tower()
	wantReport(
		t,
		o.load(
			tower,
			"Tag,Asset type,Floor,Manufacturer,Notes\nA,Fire blanket,Level 3,Chubb,first\n"+
				"B,Fire blanket,G,Chubb,\nC,Fire blanket,B1,,\n",
		),
		3,
		0,
		0,
	)

	// A missing column leaves its field, a blank cell clears it, and an asset that is not named
	// stays.
	wantReport(t, o.load(tower, "Tag,Asset type,Notes\nA,fire blanket ,\nB,Fire blanket,\n"), 0, 1, 1)
	list := o.register(tower)
	got := list[0]
	if got.Notes != "" || got.Level != "L03" || got.Make != "Chubb" || got.Description != "fire blanket" ||
		got.Version != 2 {
		t.Errorf("after an update: %+v", got)
	}
	if list[1].Version != 1 || list[2].Version != 1 {
		t.Errorf("unchanged assets are at versions %d and %d", list[1].Version, list[2].Version)
	}

	// A blank status is no change, and a type given by code leaves the description.
	wantReport(t, o.load(tower, "id,type,status\nA,fire_blanket,out of service\n"), 0, 1, 0)
	wantReport(t, o.load(tower, "id,type,status\nA,fire_blanket,\n"), 0, 0, 1)
	if got = o.register(tower)[0]; got.Status != firemode.AssetOutOfService || got.Description != "fire blanket" {
		t.Errorf("after a blank status: %+v", got)
	}
}

func TestImport_ExistingAsset_KeepsBaselines(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	before, err := o.CreateAsset(ctx, tower, extinguisher)
	o.must(err)
	wantReport(t, o.load(tower, "id,type,location\nFE-001,Extinguisher ABE 4.5kg,kitchen\n"), 0, 1, 0)
	after, err := o.Asset(ctx, tower, "FE-001")
	o.must(err)
	if after.Location != "kitchen" || !slices.Equal(before.Baselines, after.Baselines) {
		t.Errorf("after an import: %+v", after)
	}
}

func TestImport_BarcodesExchanged_Move(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	tower := o.tower()
	const head = "id,type,barcode\n"
	wantReport(t, o.load(tower, head+"A,Fire blanket,1\nB,Fire blanket,2\nZ,Fire blanket,9\n"), 3, 0, 0)
	exchange := head + "A,Fire blanket,2\nB,Fire blanket,1\nC,Fire blanket,9\n"
	wantReport(t, o.load(tower, exchange), 0, 2, 0, "4 C the barcode 9 belongs to asset Z")
	wantReport(t, o.load(tower, exchange), 0, 0, 2, "4 C the barcode 9 belongs to asset Z")
	wantReport(t, o.load(tower, head+"C,Fire blanket,9\nZ,Fire blanket,\n"), 1, 1, 0)
	var got []string
	for _, a := range o.register(tower) {
		got = append(got, string(a.ID)+"="+a.Barcode)
	}
	if want := []string{"A=2", "B=1", "C=9", "Z="}; !slices.Equal(got, want) {
		t.Errorf("barcodes %v, want %v", got, want)
	}
}

func TestImport_SameIdempotencyKey_ReplaysTheReport(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	tower := o.tower()
	const file = "id,type\nA,Fire blanket\nB,Halon\n"
	claim := store.Idempotency{Scope: "s", Key: "k", Fingerprint: []byte("f")}
	ctx := store.WithIdempotency(o.as(manager), &claim)
	first, err := o.Import(ctx, tower, strings.NewReader(file), false)
	o.must(err)
	again, err := o.Import(ctx, tower, strings.NewReader(file), false)
	o.must(err)
	if diff := cmp.Diff(first, again); diff != "" || !claim.Replayed {
		t.Errorf("replayed %v, differs:\n%s", claim.Replayed, diff)
	}
	wantReport(t, again, 1, 0, 0, `3 B "Halon" is no known type of asset`)
}

func TestImport_BrokenUpload_WritesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, tower := o.as(manager), o.tower()
	cut := errors.New("connection reset")
	file := io.MultiReader(strings.NewReader("id,type\nA,Fire blanket\n"), &breaking{cut})
	if _, err := o.Import(ctx, tower, file, false); !errors.Is(err, cut) {
		t.Errorf("%v, want %v", err, cut)
	}
	_, err := o.Import(ctx, tower, strings.NewReader("id,type\nA,Fire blanket\nB,caf\xe9\n"), false)
	wantCode(t, "not UTF-8", err, firemode.CodeInvalid)
	if list := o.register(tower); len(list) != 0 {
		t.Errorf("there are %d assets", len(list))
	}
}

func TestImport_ManyRejections_ListIsLimited(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	report, err := o.Import(
		o.as(manager),
		o.tower(),
		strings.NewReader("id,type\n"+strings.Repeat("A,\n", assets.MaxRejections+3)),
		true,
	)
	o.must(err)
	if len(report.Rejected) != assets.MaxRejections || report.Omitted != 3 {
		t.Errorf("%d listed and %d omitted", len(report.Rejected), report.Omitted)
	}
}

// Several chunks, the last of them not full. BenchmarkImport takes 20 000.
func TestImport_LargeRegister_IsImportedInChunks(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	tower := o.tower()
	const rows = 4_321
	file := largeRegister(rows)
	wantReport(t, o.load(tower, file), rows, 0, 0)
	report, err := o.Import(o.as(manager), tower, strings.NewReader(file), true)
	o.must(err)
	wantReport(t, report, 0, 0, rows)
}

func BenchmarkImport(b *testing.B) {
	o := newOffice(b)
	file := largeRegister(20_000)
	for i := 0; b.Loop(); i++ {
		made, err := o.Create(o.as(manager), assets.NewBuilding{Name: fmt.Sprint("Site ", i), Address: "1 Quay St"})
		o.must(err)
		o.load(made.ID, file)
	}
}

func (o office) load(b firemode.BuildingID, file string) assets.Report {
	o.t.Helper()
	r, err := o.Import(o.as(manager), b, strings.NewReader(file), false)
	o.must(err)
	return r
}

func (o office) register(b firemode.BuildingID) (list []firemode.Asset) {
	o.t.Helper()
	o.must(o.store.View(o.t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AssetReader](
			tx,
		).EachAsset(
			o.t.Context(),
			"org",
			b,
			func(a firemode.Asset) error { list = append(list, a); return nil },
		)
	}))
	return list
}

// wantReport checks the counts of a report, and its rejections as "line id reason".
func wantReport(t testing.TB, got assets.Report, created, updated, unchanged int, rejected ...string) {
	t.Helper()
	if got.Created != created || got.Updated != updated || got.Unchanged != unchanged || got.Omitted != 0 {
		t.Errorf(
			"created %d, updated %d, unchanged %d, omitted %d, want %d, %d, %d, 0",
			got.Created,
			got.Updated,
			got.Unchanged,
			got.Omitted,
			created,
			updated,
			unchanged,
		)
	}
	var lines []string
	for _, r := range got.Rejected {
		lines = append(lines, fmt.Sprintf("%d %s %s", r.Line, r.AssetID, r.Reason))
	}
	if diff := cmp.Diff(rejected, lines); diff != "" {
		t.Errorf("rejected (-want +got)\n%s", diff)
	}
}

type breaking struct{ err error }

func (b *breaking) Read([]byte) (int, error) { return 0, b.err }

// largeRegister is a spreadsheet of n rows as contractors have them, about 130 bytes each.
func largeRegister(n int) string {
	var b strings.Builder
	b.WriteString("Asset ID,Type,Level,Location,Make,Serial,Installed,Barcode,Status,Notes\r\n")
	for i := range n {
		fmt.Fprintf(
			&b,
			"FE-%05d,Extinguisher ABE 4.5kg,Level %d,corridor east,"+
				"FlameStop,A%06d,29-Feb-24,93%010d,in service,\"ring first\r\nkey %d\"\r\n",
			i,
			i%40,
			i,
			i,
			i,
		)
	}
	return b.String()
}
