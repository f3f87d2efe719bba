package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/visits"
)

func TestSubmit_MergeVectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/merge_vectors.json")
	must(t, err)
	var file struct{ Histories []vector }
	must(t, json.Unmarshal(text, &file, json.MatchCaseInsensitiveNames(true)))
	if len(file.Histories) != 100 {
		t.Fatalf("%d histories, want 100", len(file.Histories))
	}
	onBothEngines(t, func(t *testing.T, w *world) {
		w.staff("tech1", firemode.RoleTechnician)
		w.staff("tech2", firemode.RoleTechnician)
		w.get(http.StatusCreated, request{
			as: "admin", method: "POST", path: "/v1/buildings",
			body: `{"building_id":"b","site_name":"B","site_address":"S"}`,
		})
		for _, v := range file.Histories {
			t.Run(v.Name, func(t *testing.T) { w.play(t, v) })
		}
	})
}

// vector is one history of testdata/merge_vectors.json, made by a model of the merge that knows no
// server; the file's "about" tells how to read it.
type vector struct {
	Name  string
	Steps []struct {
		Do, User, Key, Client, Why string
		Body                       jsontext.Value
		Expect                     struct {
			Status, Applied, Duplicates int
			Results                     []string
			VectorClock                 map[string]int64 `json:"vector_clock"`
			Missing                     [][2]int64
			Replayed                    bool
			Fresh                       string
		}
	}
	Live map[string][]int64
}

// staff adds a user of "a" whose id is the name.
func (w *world) staff(name string, role firemode.Role) {
	w.t.Helper()
	w.userWithID("a", name, name, role)
}

// play drives one history through the handler.
func (w *world) play(t *testing.T, v vector) {
	session := w.session(t, v.Name)
	base := "/v1/tests/sessions/" + session + "/results"
	fresh := map[string]string{}
	gets := map[int]map[string]any{}
	for i, step := range v.Steps {
		name := fmt.Sprintf("step %d (%s %s, %s)", i, step.Do, step.User, step.Why)
		q := request{as: step.User, method: strings.ToUpper(step.Do), path: base, header: map[string]string{}}
		if step.Do == "get" {
			q.header["X-Client-ID"] = known(step.Client, fresh)
		} else {
			q.header["Idempotency-Key"] = step.Key
			q.body = fill(t, string(step.Body), fresh, gets)
		}
		rec := w.do(q)
		if rec.Code != step.Expect.Status {
			t.Fatalf("%s: status %d, want %d: %s\n%s", name, rec.Code, step.Expect.Status, rec.Body, q.body)
		}
		got := object(t, rec.Body.Bytes())
		switch {
		case step.Expect.Fresh != "":
			id, _ := got["fresh_client_id"].(string)
			if was, named := fresh[step.Expect.Fresh]; id == "" || named && was != id {
				t.Fatalf("%s: fresh_client_id %q, was %q", name, id, was)
			}
			fresh[step.Expect.Fresh] = id
		case step.Do == "get":
			gets[i] = got
			equal(t, name+" clock", without(clockOf(got), "~"), without(renamed(step.Expect.VectorClock, fresh), "~"))
		case rec.Code == http.StatusOK:
			equal(t, name+" applied", got["applied"], any(float64(step.Expect.Applied)))
			equal(t, name+" duplicates", got["duplicates"], any(float64(step.Expect.Duplicates)))
			var statuses []string
			for _, r := range got["results"].([]any) {
				statuses = append(statuses, r.(map[string]any)["status"].(string))
			}
			equal(t, name+" results", fmt.Sprint(statuses), fmt.Sprint(step.Expect.Results))
			equal(t, name+" clock", clockOf(got), renamed(step.Expect.VectorClock, fresh))
			equal(t, name+" missing", fmt.Sprint(got["missing"]), fmt.Sprint(step.Expect.Missing))
			equal(t, name+" replayed", rec.Header().Get("Idempotency-Replayed") == "true", step.Expect.Replayed)
		}
	}
	w.wantLive(t, base, v.Live)
}

// wantLive compares the document and its conflicts with the values that must be alive.
func (w *world) wantLive(t *testing.T, base string, live map[string][]int64) {
	got := object(t, w.do(request{as: "engineer", method: "GET", path: base}).Body.Bytes())
	conflicts := map[string][]int64{}
	for _, c := range got["conflicts"].([]any) {
		c := c.(map[string]any)
		for _, s := range c["values"].([]any) {
			if n, ok := s.(map[string]any)["value"].(float64); ok && s.(map[string]any)["path"] == nil {
				conflicts[c["path"].(string)] = append(conflicts[c["path"].(string)], int64(n))
			}
		}
	}
	for path, want := range live {
		var shown any = got["document"]
		for segment := range strings.SplitSeq(path[1:], "/") {
			members, _ := shown.(map[string]any)
			shown = members[segment]
		}
		values := slices.Sorted(slices.Values(conflicts[path]))
		slices.Sort(want)
		n, isNumber := shown.(float64)
		switch {
		case len(want) == 0:
			equal(t, path, shown, nil)
		case !isNumber || !slices.Contains(want, int64(n)):
			t.Errorf("%s: shows %v, want one of %v", path, shown, want)
		case len(want) > 1:
			equal(t, path+" conflict", fmt.Sprint(values), fmt.Sprint(want))
		}
	}
}

func known(name string, fresh map[string]string) string {
	if id, ok := fresh[name]; ok {
		return id
	}
	return name
}

// fill puts fresh ids and conflict ids into the places of a body that are reserved for them.
func fill(t *testing.T, body string, fresh map[string]string, gets map[int]map[string]any) string {
	for _, name := range slices.SortedFunc(maps.Keys(fresh), func(a, b string) int { return len(b) - len(a) }) {
		body = strings.ReplaceAll(body, name+`"`, fresh[name]+`"`)
		body = strings.ReplaceAll(body, name+`:`, fresh[name]+`:`)
	}
	for {
		_, rest, found := strings.Cut(body, `"$conflict:`)
		if !found {
			return body
		}
		mark, _, _ := strings.Cut(rest, `"`)
		step, path, _ := strings.Cut(mark, ":")
		var n int
		fmt.Sscan(step, &n)
		id := ""
		for _, c := range gets[n]["conflicts"].([]any) {
			if c.(map[string]any)["path"] == path {
				id = c.(map[string]any)["id"].(string)
			}
		}
		if id == "" {
			t.Fatalf("no conflict at %s in the answer to step %d", path, n)
		}
		body = strings.ReplaceAll(body, "$conflict:"+mark+`"`, id+`"`)
	}
}

func clockOf(answer map[string]any) map[string]int64 {
	clock := map[string]int64{}
	for id, n := range answer["vector_clock"].(map[string]any) {
		clock[id] = int64(n.(float64))
	}
	return clock
}

func renamed(clock map[string]int64, fresh map[string]string) map[string]int64 {
	out := map[string]int64{}
	for id, n := range clock {
		out[known(id, fresh)] = n
	}
	return out
}

func without(clock map[string]int64, prefix string) map[string]int64 {
	out := maps.Clone(clock)
	maps.DeleteFunc(out, func(id string, _ int64) bool { return strings.HasPrefix(id, prefix) })
	return out
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func object(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// session makes an open session in building "b" with this id.
func (w *world) session(t *testing.T, id string) string {
	t.Helper()
	ctx := firemode.WithPrincipal(t.Context(), firemode.Principal{
		Org: "a", User: "u-admin", Name: "admin",
		Role: firemode.RoleAdmin,
	})
	_, err := w.Services.Visits.Create(ctx, visits.Draft{
		ID: firemode.SessionID(id), Building: "b", Name: id,
		Frequency: firemode.Yearly,
	})
	must(t, err)
	return id
}
