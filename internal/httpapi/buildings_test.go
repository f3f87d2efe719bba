package httpapi

import (
	"net/http"
	"testing"
	"time"

	"firemode"
)

func TestBuilding_TimesInUTC(t *testing.T) {
	t.Parallel()
	sydney := time.FixedZone("AEDT", 11*3600)
	b := buildingOf(firemode.Building{CreatedAt: time.Date(2026, 11, 24, 8, 0, 0, 0, sydney)})
	if got := b.CreatedAt.Format(time.RFC3339Nano); got != "2026-11-23T21:00:00Z" {
		t.Errorf("created_at %s", got)
	}
}

func TestBuildings_Scenario(t *testing.T) {
	t.Parallel()
	const tower = `{"building_id":"tower","site_name":"Tower","site_address":"1 Quay","metadata":{"storeys":18},"owner_ids":["u-owner"],"status":"active","created_at":"T"}`
	create := as("manager", "POST", "/v1/buildings",
		`{"building_id":"tower","site_name":"Tower","site_address":"1 Quay","metadata":{"storeys":18},"owner_ids":["u-owner"]}`)
	file := "\xef\xbb\xbfTag,Type,Level\r\nFE-1,\"Extinguisher ABE, powder\",Level 3\r\n,Extinguisher ABE powder,G\r\n"
	upload := as("manager", "POST", "/v1/buildings/tower/assets/import?dry_run=true", file)
	upload.header = map[string]string{"Content-Type": "text/csv; charset=utf-8"}
	write := upload
	write.path = "/v1/buildings/tower/assets/import"
	newWorld(t).follow([]step{
		{create, 201, tower, ""},
		{create, 201, tower, ""},
		{as("manager", "POST", "/v1/buildings", `{"site_name":"tower ","site_address":"1 quay"}`), 409, "~FIRE-409", ""},
		{
			as("manager", "POST", "/v1/buildings", `{"site_name":"B","site_address":"S","owner_ids":["u-admin"]}`), 422,
			`~"field":"owner_ids[0]"`, "",
		},
		{as("owner", "GET", "/v1/buildings/tower"), 200, tower, ""},
		{as("owner", "PATCH", "/v1/buildings/tower", `{"status":"archived"}`), 403, "~FIRE-403", ""},
		{upload, 200, `~{"created":1,"updated":0,"unchanged":0,"rejected":[{"line":3,"asset_id":"","reason":`, ""},
		{as("manager", "GET", "/v1/buildings/tower/assets"), 200, `{"data":[],"next_cursor":null}`, ""},
		{write, 200, `~{"created":1,"updated":0,"unchanged":0,"rejected":[{"line":3,`, ""},
		{write, 200, `~{"created":0,"updated":0,"unchanged":1,"rejected":[{"line":3,`, ""},
		{
			as("owner", "GET", "/v1/buildings/tower/assets?level=L03&system=FE"), 200,
			`~{"data":[{"asset_id":"FE-1","asset_type":"extinguisher_powder",`, "",
		},
		{as("owner", "GET", "/v1/buildings/tower/assets/export"), 200, "~FE-1,", ""},
		{
			as("manager", "PUT", "/v1/buildings/tower/assets/FE-1/baselines",
				`{"baselines":[{"measurement":"mass_kg","value":4.50,"unit":"kg","source":"plate","date":"2024-02-29"}]}`),
			200,
			`~"baselines":[{"measurement":"mass_kg","value":4.50,"unit":"kg","source":"plate","date":"2024-02-29"}]`, "",
		},
		{
			as("manager", "PATCH", "/v1/buildings/tower/assets/FE-1", `{"status":"decommissioned","notes":"gone"}`), 200,
			`~"status":"decommissioned","notes":"gone"`, "",
		},
		{as("stranger", "GET", "/v1/buildings/tower/assets/FE-1"), 404, "~FIRE-404", ""},
	})
}

func TestBuildings_OwnerSeesOwn(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for _, path := range []string{"/v1/buildings/open", "/v1/buildings/open/assets", "/v1/buildings/open/assets/export"} {
		if rec := w.do(request{as: "owner", method: "GET", path: path}); rec.Code != http.StatusOK {
			t.Errorf("%s: status %d, want 200: %s", path, rec.Code, rec.Body)
		}
	}
	for who, want := range map[string]int{"owner": 1, "technician": 2, "stranger": 0} {
		got := w.get(http.StatusOK, request{as: who, method: "GET", path: "/v1/buildings"})
		if n := len(got["data"].([]any)); n != want {
			t.Errorf("%s sees %d buildings, want %d", who, n, want)
		}
	}
}
