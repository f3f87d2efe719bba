package client

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestPull_SeveralPages_UntilComplete(t *testing.T) {
	s, d := device(t, 0, page("c1", `{"other":1}`, `{"a":1}`, false), page("c2", `{"other":2}`, `{"b":2}`, true))
	d.Seen = Clock{"other": 0}
	if err := d.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "requests", s.calls(), []string{"GET results?limit=2&since=c0", "GET results?limit=2&since=c1"})
	if got := mustJSON(t, d.Document); got != `{"a":1,"b":2}` || d.Cursor != "c2" || d.Seen["other"] != 2 {
		t.Errorf("shows %s at %s, seen %v", got, d.Cursor, d.Seen)
	}
}

func TestPull_ErrorBeforeTheLastPage_NothingSeen(t *testing.T) {
	bad := respond(400, strings.Replace(busy, "true", "false", 1))
	_, d := device(t, 0, page("c1", `{"other":1}`, `{"a":1}`, false), bad)
	if err := d.Pull(t.Context()); StatusOf(err) != 400 || len(d.Seen) != 0 || d.Cursor != "c1" {
		t.Errorf("%v, seen %v, at %s", err, d.Seen, d.Cursor)
	}
}

func TestSync_RestoredServer_SendsEverythingAgainOnce(t *testing.T) {
	gone := respond(410, strings.NewReplacer("503", "410", "true", "false").Replace(busy))
	merged := respond(200, receipt)
	s, d := device(t, 3, gone, ofEpoch(2, page("c1", `{"tablet":1}`, `{"a":0}`, true)), merged, merged, merged,
		ofEpoch(2, page("c2", `{"tablet":3}`, `{}`, true)))
	d.Epoch = 1
	r, err := d.Sync(t.Context())
	if err != nil || !r.Restored || len(r.Receipts) != 3 || len(d.Pending()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "requests", s.calls(), []string{
		"GET results?limit=2&since=c0", "GET results?limit=2", "POST results", "POST results", "POST results",
	})
	equal(t, "keys", s.keys()[2:], []string{"tablet:b1", "tablet:b2", "tablet:b3"})
	d.Cursor = "c1"
	if _, err := d.Sync(t.Context()); err != nil || len(s.received) != 6 {
		t.Errorf("requests %v, %v", s.calls(), err)
	}
}

// A copy of this device syncs first after the restore. It uses the number of a batch of this device
// that had been acknowledged.
func TestSync_CopyUsedANumberAfterARestore_ForksThatBatch(t *testing.T) {
	merged := respond(200, receipt)
	fork := respond(409, forked)
	s, d := device(t, 3, ofEpoch(2, page("c1", `{"tablet":3}`, `{}`, true)), merged, merged, fork, merged,
		page("c2", `{"f":1,"tablet":3}`, `{}`, true))
	d.Epoch, d.Cursor = 1, ""
	r, err := d.Sync(t.Context())
	if err != nil || len(r.Receipts) != 3 || len(r.Forks) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "held", chain(&d.State), []string{"tablet/1/b1<", "tablet/2/b2<b1", "f/1/b3<b2"})
	equal(t, "keys", s.keys()[3:5], []string{"tablet:b3", "f:b3"})
}

func TestSync_SwitchedOffAfterARestore_SendsAgainAtTheNextStart(t *testing.T) {
	merged := respond(200, receipt)
	s, d := device(t, 3, ofEpoch(2, page("c1", `{"tablet":1}`, `{}`, true)), merged, merged, merged,
		ofEpoch(2, page("c2", `{"tablet":3}`, `{}`, true)))
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
	equal(t, "requests", s.calls(), []string{
		"GET results?limit=2", "POST results", "POST results", "POST results", "GET results?since=c1",
	})
}

// The device does not know the epoch in which it sent its first batches.
func TestSync_RestoreBeforeTheFirstPull_SendsAgain(t *testing.T) {
	merged := respond(200, receipt)
	s, d := device(t, 2, ofEpoch(2, page("c1", `{"tablet":1}`, `{}`, true)), merged, merged)
	d.Cursor = ""
	r, err := d.Sync(t.Context())
	if err != nil || len(r.Receipts) != 2 || r.Restored || len(d.Pending()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	equal(t, "requests", s.calls(), []string{"GET results?limit=2", "POST results", "POST results"})
}

func TestSync_AcknowledgedLongAgo_Forgotten(t *testing.T) {
	receiptOf := func(at string) http.HandlerFunc {
		return respond(200, strings.TrimSuffix(receipt, "}")+`,"processed_at":"2026-11-`+at+`"}`)
	}
	_, d := device(t, 0, receiptOf("01T00:00:00Z"), receiptOf("20T00:00:00Z"), page("c1", `{}`, `{}`, true),
		receiptOf("30T00:00:01Z"), page("c2", `{}`, `{}`, true))
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
		t.Error("the chain of batches is broken")
	}
}

func TestSync_EveryIDIsRefused_Error(t *testing.T) {
	fork := respond(409, forked)
	s, d := device(t, 0, fork, fork, fork, fork, fork)
	d.Record(Remove("/a"))
	if _, err := d.Sync(t.Context()); StatusOf(err) != 409 || len(s.received) != maxForks+1 || len(d.Pending()) != 1 {
		t.Errorf("%d requests, %v", len(s.received), err)
	}
}

func TestSync_ServerReportsMissing_SentOnceMore(t *testing.T) {
	missing := respond(200, strings.TrimSuffix(receipt, "}")+`,"missing":[[1,1]]}`)
	s, d := device(t, 1, missing, missing, page("c1", `{}`, `{}`, true))
	d.Record(Remove("/a"))
	if _, err := d.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "requests", s.calls(), []string{"POST results", "POST results", "GET results?limit=2&since=c0"})
	if n := len(d.Pending()); n != 1 {
		t.Errorf("%d pending", n)
	}
}

const (
	receipt = `{"session_id":"s","status":"merged","applied":1,"results":[{"index":0,"status":"applied"}]}`
	forked  = `{"error_code":"FIRE-409","message":"forked","fresh_client_id":"f"}`
)

// device returns a device that has queued and sent n batches, and the server that it calls from
// then on.
func device(t *testing.T, n int, responses ...http.HandlerFunc) (*script, *Device) {
	t.Helper()
	s, api := play(t, Config{}, responses...)
	state := *queued(n)
	for i := range state.Batches {
		state.Batches[i].Acknowledged = true
	}
	state.Cursor = "c0"
	return s, RestoreDevice(api, state, DeviceConfig{Page: 2})
}

// calls lists the requests as method and path below the session.
func (s *script) calls() []string {
	var all []string
	for _, r := range s.received {
		all = append(all, r.method+" "+strings.TrimPrefix(r.path, "/v1/tests/sessions/s/"))
	}
	return all
}

// keys lists the Idempotency-Keys of the requests.
func (s *script) keys() []string {
	var all []string
	for _, r := range s.received {
		all = append(all, r.key)
	}
	return all
}

// page responds with results, without an epoch.
func page(cursor, clock, document string, complete bool) http.HandlerFunc {
	return respond(200, fmt.Sprintf(`{"session_id":"s","vector_clock":%s,"cursor":%q,"complete":%v,`+
		`"document":%s,"conflicts":[],"removed":[],"late":[]}`, clock, cursor, complete, document))
}

// ofEpoch adds an epoch to a page.
func ofEpoch(n int, page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		page(rec, r)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"epoch":%d,%s`, n, strings.TrimPrefix(rec.Body.String(), "{"))
	}
}
