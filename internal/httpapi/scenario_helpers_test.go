package httpapi

import (
	"fmt"
	"regexp"
	"strings"
)

// step is one request of a scenario and what it must answer. In want and lacks, times are T and
// minted ids are ID.
type step struct {
	request
	status int
	want   string // the whole body, or when it begins with "~" a part of it
	lacks  string // must not be in the body
}

func (w *world) follow(steps []step) {
	w.t.Helper()
	times := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	ids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	for i, s := range steps {
		rec := w.do(s.request)
		body := ids.ReplaceAllString(times.ReplaceAllString(rec.Body.String(), "T"), "ID")
		name := fmt.Sprintf("step %d, %s %s", i, s.method, s.path)
		if rec.Code != s.status {
			w.t.Fatalf("%s: status %d, want %d: %s", name, rec.Code, s.status, body)
		}
		part, partial := strings.CutPrefix(s.want, "~")
		switch {
		case s.want == "":
		case partial && !strings.Contains(body, part):
			w.t.Errorf("%s: %s\nlacks %s", name, body, part)
		case !partial && body != s.want:
			w.t.Errorf("%s: %s\nwant %s", name, body, s.want)
		}
		if s.lacks != "" && strings.Contains(body, s.lacks) {
			w.t.Errorf("%s: %s\nholds %s", name, body, s.lacks)
		}
	}
}

func as(who, method, path string, body ...string) request {
	return request{as: who, method: method, path: path, body: strings.Join(body, "")}
}
