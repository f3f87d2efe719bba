package client

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"firemode/internal/crdt"
)

// device is a phone that has queued and sent n batches, and the server that it talks to from then on.
func device(t *testing.T, n int, answers ...http.HandlerFunc) (*script, *Device) {
	t.Helper()
	s, api := play(t, Config{}, answers...)
	state := *phone(n)
	for i := range state.Batches {
		state.Batches[i].Acknowledged = true
	}
	state.Cursor = "c0"
	return s, RestoreDevice(api, state, DeviceConfig{Page: 2})
}

// told lists the requests as method and path below the session.
func (s *script) told() []string {
	var all []string
	for _, r := range s.asked {
		all = append(all, r.method+" "+strings.TrimPrefix(r.path, "/v1/tests/sessions/s/"))
	}
	return all
}

func page(cursor, clock, document string, complete bool) http.HandlerFunc {
	return answer(200, fmt.Sprintf(`{"session_id":"s","vector_clock":%s,"cursor":%q,"complete":%v,"document":%s,"conflicts":[],"removed":[],"late":[]}`,
		clock, cursor, complete, document))
}

func TestPullGoesOnUntilItIsComplete(t *testing.T) {
	s, d := device(t, 0, page("c1", `{"other":1}`, `{"a":1}`, false), page("c2", `{"other":2}`, `{"b":2}`, true))
	d.Seen = crdt.Clock{"other": 0}
	if err := d.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "asked", s.told(), []string{"GET results?limit=2&since=c0", "GET results?limit=2&since=c1"})
	if got := string(d.Document.append()); got != `{"a":1,"b":2}` || d.Cursor != "c2" || d.Seen["other"] != 2 {
		t.Errorf("shows %s at %s, seen %v", got, d.Cursor, d.Seen)
	}
}

func TestAPageThatIsNotTheLastIsNotSeen(t *testing.T) {
	_, d := device(t, 0, page("c1", `{"other":1}`, `{"a":1}`, false), answer(400, strings.Replace(busy, "true", "false", 1)))
	if err := d.Pull(t.Context()); StatusOf(err) != 400 || len(d.Seen) != 0 || d.Cursor != "c1" {
		t.Errorf("%v, seen %v, at %s", err, d.Seen, d.Cursor)
	}
}

func TestSyncAfterTheServerWasRestored(t *testing.T) {
	gone := answer(410, strings.NewReplacer("503", "410", "true", "false").Replace(busy))
	receipt := answer(200, `{"session_id":"s","status":"merged","applied":1,"results":[{"index":0,"status":"applied"}]}`)
	s, d := device(t, 3, gone, page("c1", `{"tablet":1}`, `{"a":0}`, true), receipt, receipt)
	r, err := d.Sync(t.Context())
	if err != nil || !r.Restored || len(r.Receipts) != 2 || len(d.Pending()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "asked", s.told(), []string{"GET results?limit=2&since=c0", "GET results?limit=2", "POST results", "POST results"})
	if keys := []string{s.asked[2].key, s.asked[3].key}; !slices.Equal(keys, []string{"tablet:b2", "tablet:b3"}) {
		t.Errorf("sent again: %v", keys)
	}
}

func TestAnEndlessForkEnds(t *testing.T) {
	fork := answer(409, `{"error_code":"FIRE-409","message":"forked","fresh_client_id":"f"}`)
	s, d := device(t, 0, fork, fork, fork, fork, fork)
	d.Record(Remove("/a"))
	if _, err := d.Sync(t.Context()); StatusOf(err) != 409 || len(s.asked) != maxForks+1 || len(d.Pending()) != 1 {
		t.Errorf("asked %d times, %v", len(s.asked), err)
	}
}

func TestWhatTheServerMissesIsSentOnceMoreAndNoMore(t *testing.T) {
	missing := answer(200, `{"session_id":"s","status":"merged","missing":[[1,1]],"results":[{"index":0,"status":"applied"}]}`)
	s, d := device(t, 1, missing, missing, page("c1", `{}`, `{}`, true))
	d.Record(Remove("/a"))
	if _, err := d.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "asked", s.told(), []string{"POST results", "POST results", "GET results?limit=2&since=c0"})
	if n := len(d.Pending()); n != 1 {
		t.Errorf("%d pending", n)
	}
}
