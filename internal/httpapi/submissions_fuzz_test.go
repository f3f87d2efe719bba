package httpapi

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
)

func FuzzSubmission(f *testing.F) {
	for _, b := range []batch{
		{},
		{
			client: "a", number: 3, id: "i", prev: "p", seen: map[string]int64{"b": 2}, atomic: true,
			changes: []string{set("/x", "1.50"), remove("/x"), "7"},
		},
		{onBehalfOf: "u", changes: []string{
			appendTo("/l", `{"a":[1]}`), increment("/n", "1e2"),
			correct("/x", "2", "a:1:0"),
		}},
	} {
		f.Add([]byte(b.String()))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := decodeSubmission(body, false)
		if err != nil {
			wantRefusal(t, err)
			return
		}
		wantLimits(t, s)
		var wire submissionBody
		must(t, json.Unmarshal(body, &wire))
		form := fmt.Sprintf("{\"_sync_meta\":%s,\"atomic\":%t}\n", compact(t, orNull(wire.Meta)), wire.Atomic)
		for _, change := range wire.Changes {
			form += compact(t, change) + "\n"
		}
		again, err := decodeSubmission([]byte(form), true)
		if err != nil {
			t.Fatalf("%q is not taken as lines: %v", body, err)
		}
		sameSubmission(t, form, s, again)
	})
}

func FuzzLines(f *testing.F) {
	for _, body := range []string{
		"", set("/x", "1"),
		"{\"_sync_meta\":{\"client_id\":\"a\",\"vector_clock\":{\"a\":1}},\"atomic\":true}\n\r\n" + set("/x", "1") +
			"\r\n" + remove("/x"),
		"{}\n{\"atomic\":true}\n", "7\n", "{\"changes\":[]}\n", set("/x", "1") + set("/y", "1"),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := decodeSubmission(body, true)
		if err != nil {
			wantRefusal(t, err)
			return
		}
		wantLimits(t, s)
		wire, err := decodeLines(body)
		must(t, err)
		changes := make([]string, len(wire.Changes))
		for i, change := range wire.Changes {
			changes[i] = string(change)
		}
		form := fmt.Sprintf(`{"_sync_meta":%s,"atomic":%t,"changes":[%s]}`, orNull(wire.Meta), wire.Atomic,
			strings.Join(changes, ","))
		again, err := decodeSubmission([]byte(form), false)
		if err != nil {
			t.Fatalf("%q is not taken as JSON: %v", body, err)
		}
		sameSubmission(t, form, s, again)
	})
}

func FuzzClock(f *testing.F) {
	for _, clock := range []string{
		`{}`, `{"a":1,"b":0}`, `null`, ``, `{"a":-1}`, `{"a":1.0}`,
		`{"a":9223372036854775808}`, `[1]`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(clock), "a")
	}
	crowd := map[string]int64{}
	for i := range ledger.MaxClock + 3 {
		crowd[fmt.Sprint("n", i)] = int64(i)
	}
	text, err := json.Marshal(crowd)
	must(f, err)
	f.Add(text, "n4098")
	f.Fuzz(func(t *testing.T, raw []byte, own string) {
		clock, trimmed, err := decodeClock(raw, crdt.ActorID(own))
		if err != nil {
			wantRefusal(t, err)
			return
		}
		wantLimits(t, merge.Submission{Meta: merge.Meta{Clock: clock}})
		if len(raw) > 0 && !jsontext.Value(raw).IsValid() {
			return // the body it stood in would not have been read
		}
		var entries map[crdt.ActorID]int64
		must(t, json.Unmarshal(orNull(raw), &entries))
		maps.DeleteFunc(entries, func(_ crdt.ActorID, n int64) bool { return n == 0 })
		if trimmed != (len(entries) > ledger.MaxClock) || clock[crdt.ActorID(own)] != entries[crdt.ActorID(own)] {
			t.Fatalf("%q: trimmed %v, own entry %d of %d", raw, trimmed, clock[crdt.ActorID(own)], entries[crdt.ActorID(own)])
		}
		for actor, n := range clock {
			if entries[actor] != n {
				t.Fatalf("%q has %d for %q", raw, entries[actor], actor)
			}
		}
	})
}

func FuzzSyncCursor(f *testing.F) {
	a := &API{cursors: httpkit.NewCursors(make([]byte, 32))}
	f.Add(int64(1), int64(7), int64(3), "tablet-7", []byte("12345678"), "")
	f.Add(int64(0), int64(0), int64(0), "", []byte{}, "AAAA")
	f.Add(int64(-1), int64(1)<<62, int64(5), "a", []byte("a|b|c|d|"), a.cursors.Seal("a", "/v1/users?", "k"))
	f.Add(int64(1), int64(1), int64(1), "a", []byte("x"), sealSyncCursor(a.cursors, "a", view.Cursor{Session: "s2", Epoch: 1, Seq: 1}))
	f.Add(int64(1), int64(1), int64(1), "a", []byte("x"), a.cursors.Seal("a", "sync s1", "1|x"))
	f.Fuzz(func(t *testing.T, epoch, seq, from int64, client string, hash []byte, forged string) {
		if client != "" && !firemode.ValidID(client) {
			return // refused before a cursor is made
		}
		c := view.Cursor{Session: "s1", Epoch: epoch, Seq: seq, From: from, Client: client, Hash: hash}
		opened, err := a.openSyncCursor("a", "s1", sealSyncCursor(a.cursors, "a", c))
		if err != nil || opened.Epoch != epoch || opened.Seq != seq || opened.From != from || opened.Client != client || !bytes.Equal(opened.Hash, hash) {
			t.Fatalf("sealed %+v, opened %+v, %v", c, opened, err)
		}
		if opened, err := a.openSyncCursor("a", "s1", forged); err == nil && sealSyncCursor(a.cursors, "a", opened) != forged {
			t.Fatalf("%q was taken for a cursor", forged)
		} else if err != nil && firemode.CodeOf(err) != firemode.CodeMalformed {
			t.Fatalf("%q: %v", forged, err)
		}
	})
}

// A decoder of what strangers send either refuses it, as the sender's fault, or takes it within the
// limits.

// wantRefusal wants err to be the fault of whoever sent it.
func wantRefusal(t *testing.T, err error) {
	t.Helper()
	if code := firemode.CodeOf(err); code != firemode.CodeMalformed && code != firemode.CodeInvalid &&
		code != firemode.CodeTooLarge {
		t.Fatalf("refused as %v: %v", code, err)
	}
}

// wantLimits wants what was taken of a body to be within its limits.
func wantLimits(t *testing.T, s merge.Submission) {
	t.Helper()
	if len(s.Changes) > crdt.MaxChanges || len(s.Meta.Clock) > ledger.MaxClock+1 {
		t.Fatalf("%d changes, %d entries of the clock", len(s.Changes), len(s.Meta.Clock))
	}
	for actor, n := range s.Meta.Clock {
		if n < 1 {
			t.Fatalf("the clock has %d for %q", n, actor)
		}
	}
}

// sameSubmission wants two forms of a body to come to one submission, with one content.
func sameSubmission(t *testing.T, form string, a, b merge.Submission) {
	t.Helper()
	if crdt.Content(a.Changes) != crdt.Content(b.Changes) || !reflect.DeepEqual(a, b) {
		t.Fatalf("%q is\n%+v, not\n%+v", form, b, a)
	}
}

func compact(t *testing.T, v jsontext.Value) string {
	t.Helper()
	v = v.Clone()
	must(t, v.Compact())
	return string(v)
}

func orNull(v jsontext.Value) jsontext.Value {
	if len(v) == 0 {
		return jsontext.Value("null")
	}
	return v
}
