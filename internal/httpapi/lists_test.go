package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

func TestList_GrowsDuringTheWalk_EachRowOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want, got []string
	add := func(i int) string {
		id := fmt.Sprintf("b-%03d", i)
		w.get(http.StatusCreated, request{
			as: "admin", method: "POST", path: "/v1/buildings",
			body: fmt.Sprintf(`{"building_id":%q,"site_name":%q,"site_address":"x"}`, id, id),
		})
		return id
	}
	for i := range 25 {
		want = append(want, add(i))
	}
	path := "/v1/buildings?limit=10"
	for page := 0; path != ""; page++ {
		add(100 + page)
		answer := w.get(http.StatusOK, request{as: "admin", method: "GET", path: path})
		for _, row := range answer["data"].([]any) {
			got = append(got, row.(map[string]any)["building_id"].(string))
		}
		path = ""
		if next, ok := answer["next_cursor"].(string); ok {
			path = "/v1/buildings?limit=10&cursor=" + next
		}
	}
	seen := map[string]int{}
	for _, id := range got {
		seen[id]++
	}
	for _, id := range want {
		if seen[id] != 1 {
			t.Errorf("%s was shown %d times", id, seen[id])
		}
	}
}

func TestList_Limit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for query, want := range map[string]struct{ rows, status int }{
		"":           {20, 200},
		"?limit=1":   {1, 200},
		"?limit=100": {100, 200},
		"?limit=0":   {0, 400},
		"?limit=101": {0, 400},
		"?limit=-1":  {0, 400},
		"?limit=ten": {0, 400},
		"?limit=1e1": {0, 400},
		"?limit=":    {20, 200},
	} {
		rec := w.do(request{as: "admin", method: "GET", path: "/v1/rules" + query})
		if want.status != http.StatusOK {
			if p := httpkittest.WantProblem(t, rec, want.status); p.Details[0].Field != "limit" {
				t.Errorf("%q: details %v", query, p.Details)
			}
			continue
		}
		answer := w.get(http.StatusOK, request{as: "admin", method: "GET", path: "/v1/rules" + query})
		if got := len(answer["data"].([]any)); got != want.rows {
			t.Errorf("%q: %d rows, want %d", query, got, want.rows)
		}
	}
}

func TestList_LastPage_NoCursor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for limit, last := range map[int]bool{4: false, 5: true, 6: true} {
		answer := w.get(http.StatusOK, request{as: "admin", method: "GET", path: fmt.Sprintf("/v1/users?limit=%d", limit)})
		if got := answer["next_cursor"] == nil; got != last {
			t.Errorf("limit %d of 5 users: next_cursor is null: %v, want %v", limit, got, last)
		}
	}
}

func TestList_CursorOfAnotherList_400(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.get(http.StatusOK, request{as: "admin", method: "GET", path: "/v1/rules?limit=2&system=FE"})
	cursor := first["next_cursor"].(string)
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	must(t, err)
	flipped := slices.Clone(raw)
	flipped[len(flipped)-1] ^= 1
	for _, row := range []struct {
		as, path string
		status   int
	}{
		{"admin", "/v1/rules?limit=50&system=FE&cursor=" + cursor, 200},
		{"technician", "/v1/rules?system=FE&cursor=" + cursor, 200},
		{"stranger", "/v1/rules?system=FE&cursor=" + cursor, 400},
		{"admin", "/v1/rules?cursor=" + cursor, 400},
		{"admin", "/v1/rules?system=SP&cursor=" + cursor, 400},
		{"admin", "/v1/users?system=FE&cursor=" + cursor, 400},
		{"admin", "/v1/rules?system=FE&cursor=" + base64.RawURLEncoding.EncodeToString(flipped), 400},
		{"admin", "/v1/rules?system=FE&cursor=" + base64.RawURLEncoding.EncodeToString(raw[16:]), 400},
		{"admin", "/v1/rules?system=FE&cursor=" + url.QueryEscape(cursor+"="), 400},
		{"admin", "/v1/rules?system=FE&cursor=%00", 400},
	} {
		if rec := w.do(request{as: row.as, method: "GET", path: row.path}); rec.Code != row.status {
			t.Errorf("%s %s: status %d, want %d", row.as, row.path, rec.Code, row.status)
		}
	}
}
