package httpapi

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
)

// A decoder of what strangers send either refuses it, as the sender's fault, or takes it within the limits.

// wantRefusal wants err to be the fault of whoever sent it.
func wantRefusal(t *testing.T, err error) {
	t.Helper()
	if code := firemode.CodeOf(err); code != firemode.CodeMalformed && code != firemode.CodeInvalid && code != firemode.CodeTooLarge {
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

func FuzzSubmission(f *testing.F) {
	for _, b := range []batch{
		{},
		{client: "a", number: 3, id: "i", prev: "p", seen: map[string]int64{"b": 2}, atomic: true, changes: []string{set("/x", "1.50"), remove("/x"), "7"}},
		{onBehalfOf: "u", changes: []string{appendTo("/l", `{"a":[1]}`), increment("/n", "1e2"), correct("/x", "2", "a:1:0")}},
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
		"", set("/x", "1"), "{\"_sync_meta\":{\"client_id\":\"a\",\"vector_clock\":{\"a\":1}},\"atomic\":true}\n\r\n" + set("/x", "1") + "\r\n" + remove("/x"),
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
		form := fmt.Sprintf(`{"_sync_meta":%s,"atomic":%t,"changes":[%s]}`, orNull(wire.Meta), wire.Atomic, strings.Join(changes, ","))
		again, err := decodeSubmission([]byte(form), false)
		if err != nil {
			t.Fatalf("%q is not taken as JSON: %v", body, err)
		}
		sameSubmission(t, form, s, again)
	})
}

func FuzzClock(f *testing.F) {
	for _, clock := range []string{`{}`, `{"a":1,"b":0}`, `null`, ``, `{"a":-1}`, `{"a":1.0}`, `{"a":9223372036854775808}`, `[1]`, `{"a":1,"a":2}`} {
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
	a := &API{Config: Config{CursorKey: make([]byte, 32)}}
	x := &exchange{path: "/v1/tests/sessions/s1/results", principal: firemode.Principal{Org: "a"}}
	f.Add(int64(1), int64(7), int64(3), "tablet-7", []byte("12345678"), "")
	f.Add(int64(0), int64(0), int64(0), "", []byte{}, "AAAA")
	f.Add(int64(-1), int64(1)<<62, int64(5), "a", []byte("a|b|c|d|"), a.sealCursor(&exchange{path: "/v1/users"}, "k"))
	other := *x
	other.path = "/v1/tests/sessions/s2/results"
	f.Add(int64(1), int64(1), int64(1), "a", []byte("x"), a.sealSyncCursor(&other, view.Cursor{Session: "s2", Epoch: 1, Seq: 1}))
	f.Add(int64(1), int64(1), int64(1), "a", []byte("x"), a.sealFor(x, "sync s1", "1|x"))
	f.Fuzz(func(t *testing.T, epoch, seq, from int64, client string, hash []byte, forged string) {
		if client != "" && !firemode.ValidID(client) {
			return // refused before a cursor is made
		}
		c := view.Cursor{Session: "s1", Epoch: epoch, Seq: seq, From: from, Client: client, Hash: hash}
		opened, err := a.openSyncCursor(x, a.sealSyncCursor(x, c))
		if err != nil || opened.Epoch != epoch || opened.Seq != seq || opened.From != from || opened.Client != client || !bytes.Equal(opened.Hash, hash) {
			t.Fatalf("sealed %+v, opened %+v, %v", c, opened, err)
		}
		if opened, err := a.openSyncCursor(x, forged); err == nil && a.sealSyncCursor(x, opened) != forged {
			t.Fatalf("%q was taken for a cursor", forged)
		} else if err != nil && firemode.CodeOf(err) != firemode.CodeMalformed {
			t.Fatalf("%q: %v", forged, err)
		}
	})
}

func FuzzIdempotencyKey(f *testing.F) {
	for _, key := range []string{"", "k", "019ab3c2-7d10-7000-8000-000000000000", " ", "a\nb", "é", "\x7f", strings.Repeat("k", 255), strings.Repeat("k", 256)} {
		f.Add(key, false)
	}
	f.Add("twice", true)
	f.Fuzz(func(t *testing.T, sent string, twice bool) {
		r := &http.Request{Header: http.Header{"Idempotency-Key": {sent}}}
		if twice {
			r.Header["Idempotency-Key"] = []string{sent, sent}
		}
		key, err := idempotencyKey(r)
		if err != nil {
			wantRefusal(t, err)
		}
		good := !twice && 1 <= len(sent) && len(sent) <= 255 && !slices.ContainsFunc([]byte(sent), func(c byte) bool { return c < ' ' || c > '~' })
		if good != (err == nil) || good && key != sent {
			t.Fatalf("%q, twice %v: %q, %v", sent, twice, key, err)
		}
	})
}

// FuzzCompressed holds that an encoded body is decoded within its limits, whatever it claims to hold, and that what is taken is what
// any decoder makes of it. Making it costs a bounded amount of memory.
func FuzzCompressed(f *testing.F) {
	plain := []byte(batch{changes: []string{set("/x", "1")}}.String())
	bomb := bytes.Repeat([]byte(" "), 9<<20)
	for _, body := range [][]byte{plain, nil, bomb, bytes.Repeat([]byte("0123456789abcdef"), 1<<12)} {
		f.Add(false, gzipped(f, body))
		f.Add(true, zstded(f, body))
	}
	f.Add(false, append(gzipped(f, plain), gzipped(f, plain)...))                                                 // two members are one text
	f.Add(true, append(zstded(f, plain), zstded(f, plain)...))                                                    // and so are two frames
	f.Add(false, gzipped(f, gzipped(f, bomb)))                                                                    // a bomb in a parcel is a parcel
	f.Add(true, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x98, 0x01, 0x00, 0x00})                                     // a window of 512 MiB
	f.Add(true, []byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0})    // a content of 2^63 bytes
	f.Add(true, append([]byte{0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f}, bytes.Repeat([]byte{0}, 1000)...)) // a frame to be skipped, of 2 GiB
	f.Add(true, append(bytes.Repeat([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, 1000), zstded(f, plain)...))      // a thousand empty ones
	a := &API{bodies: bodies{limit: 1 << 30}}
	f.Fuzz(func(t *testing.T, zstandard bool, wire []byte) {
		room := &share{api: a}
		defer room.free()
		if len(wire) > encodedLimit {
			return // refused before it is decoded
		}
		encoding := "gzip"
		if zstandard {
			encoding = "zstd"
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := decoded(encoding, wire, jsonLimit, room)
		runtime.ReadMemStats(&after)
		// The text, the buffers it outgrew, and the window of the decoder.
		if made := after.TotalAlloc - before.TotalAlloc; made > 8*jsonLimit {
			t.Fatalf("%d bytes of memory for %d bytes of %s", made, len(wire), encoding)
		}
		if err != nil {
			wantRefusal(t, err)
			return
		}
		if most := max(ratioFrom, len(wire)*ratioLimit); len(got) > min(most, jsonLimit) {
			t.Fatalf("%d bytes of %d", len(got), len(wire))
		}
		if again := encodedAs(t, encoding, got); len(again) > 0 {
			if back, err := decoded(encoding, again, jsonLimit, room); err == nil && !bytes.Equal(back, got) {
				t.Fatalf("%q is decoded to %q", got, back)
			}
		}
	})
}

func encodedAs(t testing.TB, encoding string, plain []byte) []byte {
	if encoding == "gzip" {
		return gzipped(t, plain)
	}
	return zstded(t, plain)
}
