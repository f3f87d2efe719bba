package client

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"firemode/internal/record/crdt"
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

// ofEpoch is a page of another epoch than that of the others, which do not say.
func ofEpoch(n int, page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		page(rec, r)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"epoch":%d,%s`, n, strings.TrimPrefix(rec.Body.String(), "{"))
	}
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
	s, d := device(t, 3, gone, ofEpoch(2, page("c1", `{"tablet":1}`, `{"a":0}`, true)), receipt, receipt, receipt, ofEpoch(2, page("c2", `{"tablet":3}`, `{}`, true)))
	d.Epoch = 1
	r, err := d.Sync(t.Context())
	if err != nil || !r.Restored || len(r.Receipts) != 3 || len(d.Pending()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "asked", s.told(), []string{"GET results?limit=2&since=c0", "GET results?limit=2", "POST results", "POST results", "POST results"})
	if keys := []string{s.asked[2].key, s.asked[3].key, s.asked[4].key}; !slices.Equal(keys, []string{"tablet:b1", "tablet:b2", "tablet:b3"}) {
		t.Errorf("sent again: %v", keys)
	}
	d.Cursor = "c1"
	if _, err := d.Sync(t.Context()); err != nil || len(s.asked) != 6 {
		t.Errorf("asked %v, %v", s.told(), err)
	}
}

// After a restore a copy of this phone was there first, and has used a number under which this phone's batch had been acknowledged.
func TestACopyThatIsFirstAfterARestoreHidesNothing(t *testing.T) {
	receipt := answer(200, `{"session_id":"s","status":"merged","applied":1,"results":[{"index":0,"status":"applied"}]}`)
	fork := answer(409, `{"error_code":"FIRE-409","message":"forked","fresh_client_id":"f"}`)
	s, d := device(t, 3, ofEpoch(2, page("c1", `{"tablet":3}`, `{}`, true)), receipt, receipt, fork, receipt, page("c2", `{"f":1,"tablet":3}`, `{}`, true))
	d.Epoch, d.Cursor = 1, ""
	r, err := d.Sync(t.Context())
	if err != nil || len(r.Receipts) != 3 || len(r.Forks) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "held", chain(&d.State), []string{"tablet/1/b1<", "tablet/2/b2<b1", "f/1/b3<b2"})
	if keys := []string{s.asked[3].key, s.asked[4].key}; !slices.Equal(keys, []string{"tablet:b3", "f:b3"}) {
		t.Errorf("sent again: %v", keys)
	}
}

// A phone that is switched off after it was told of the restore, and before it has sent anything again, does so when it is on again.
func TestARestoreIsNotForgottenHalfway(t *testing.T) {
	receipt := answer(200, `{"session_id":"s","status":"merged","applied":1,"results":[{"index":0,"status":"applied"}]}`)
	s, d := device(t, 3, ofEpoch(2, page("c1", `{"tablet":1}`, `{}`, true)), receipt, receipt, receipt, ofEpoch(2, page("c2", `{"tablet":3}`, `{}`, true)))
	d.Epoch, d.Cursor = 1, ""
	if err := d.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	stored, err := d.State.Clone()
	if err != nil {
		t.Fatal(err)
	}
	r, err := RestoreDevice(d.api, stored, DeviceConfig{}).Sync(t.Context())
	if err != nil || len(r.Receipts) != 3 || r.Restored {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "asked", s.told(), []string{"GET results?limit=2", "POST results", "POST results", "POST results", "GET results?since=c1"})
}

// A phone that has sent something before it was shown anything does not know the epoch that it sent it in.
func TestARestoreBeforeTheFirstPullIsNoticed(t *testing.T) {
	receipt := answer(200, `{"session_id":"s","status":"merged","applied":1,"results":[{"index":0,"status":"applied"}]}`)
	s, d := device(t, 2, ofEpoch(2, page("c1", `{"tablet":1}`, `{}`, true)), receipt, receipt)
	d.Cursor = ""
	r, err := d.Sync(t.Context())
	if err != nil || len(r.Receipts) != 2 || r.Restored || len(d.Pending()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "asked", s.told(), []string{"GET results?limit=2", "POST results", "POST results"})
}

func TestWhatWasAcknowledgedLongAgoIsForgotten(t *testing.T) {
	receipt := func(at string) http.HandlerFunc {
		return answer(200, `{"session_id":"s","status":"merged","results":[{"index":0,"status":"applied"}],"processed_at":"2026-11-`+at+`"}`)
	}
	_, d := device(t, 0, receipt("01T00:00:00Z"), receipt("20T00:00:00Z"), page("c1", `{}`, `{}`, true), receipt("30T00:00:01Z"), page("c2", `{}`, `{}`, true))
	d.keep = 10 * 24 * time.Hour
	sync := func(batches int) (held []string) {
		for range batches {
			d.Record(Remove("/a"))
		}
		if _, err := d.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, b := range d.Batches {
			held = append(held, strconv.FormatInt(b.Number, 10))
		}
		return held
	}
	equal(t, "held", sync(2), []string{"2"})
	equal(t, "held", sync(1), []string{"3"})
	d.Record(Remove("/a"))
	if d.Batches[len(d.Batches)-1].PrevID == "" || d.Number != 4 {
		t.Error("the chain is broken off")
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
