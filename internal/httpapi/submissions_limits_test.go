package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

func TestSubmit_Limits(t *testing.T) {
	play(t, []scenario{
		{"a bad change is answered as rejected, and the others apply", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			r := a.write(set("/x", "1"), `{"op":"multiply","path":"/x","value":2}`, `7`, `{"op":"set","path":"/x"}`,
				`{"op":"set","value":1}`,
				`{"op":"set","path":7,"value":1}`, increment("/x",
					`"1"`), `{"op":"increment","path":"/x"}`, `{"op":"resolve","path":"/x"}`, set("/y", "2"))
			same(t, r.statuses(), "applied rejected rejected rejected rejected rejected rejected rejected rejected applied")
			for _, c := range r.Results {
				if c.Status == "rejected" && c.Reason == "" {
					t.Errorf("change %d is rejected without a reason", c.Index)
				}
			}
			same(t, r.Applied, 2)
			v.document(`{"x":1,"y":2}`)
		}},
		{"an atomic batch applies whole or not at all, and may be sent again", func(t *testing.T, v *visit) {
			a, _ := v.pair()
			b := a.batch(1, set("/x", "1"), set("bad", "1"))
			b.atomic, b.key = true, "atomic"
			p := v.refused("tech1", http.StatusUnprocessableEntity, b)
			same(t, p.Details, []httpkittest.Detail{{Field: "changes[1]", Reason: "the path must begin with /"}})
			v.document(`{}`)
			same(t, v.pull("tech1", "").Clock, map[string]int64{})
			b.changes[1], b.key = set("/good", "1"), "mended"
			same(t, v.send("tech1", b).statuses(), "applied applied")
		}},
		{"every path that is not canonical is refused, never repaired", func(t *testing.T, v *visit) {
			bad := []string{
				"", "/", "x", "x/y", "#/x", "//", "/x/", "//x", "/x//y", "/x~", "/x~2", "/~", "/x/~/y", "/a\x00",
				"/a\u0085", "/a\n",
				strings.Repeat("/s", 17), "/" + strings.Repeat("x", 512), "/" + strings.Repeat("é", 256),
			}
			var changes []string
			for _, path := range bad {
				changes = append(changes, fmt.Sprintf(`{"op":"set","path":%s,"value":1}`, quoted(t, path)))
			}
			r := v.tablet("tech1", "a").write(changes...)
			same(t, r.statuses(), strings.TrimSpace(strings.Repeat("rejected ", len(bad))))
			v.document(`{}`)
			good := []string{
				strings.Repeat("/s", 16), "/" + strings.Repeat("x", 511), "/~0~1", "/ ", "/0", "/-", "/é",
				"/constructor",
			}
			for i, path := range good {
				good[i] = set(path, "1")
			}
			same(t, v.send("tech2", batch{changes: good}).statuses(), strings.TrimSpace(strings.Repeat("applied ", len(good))))
		}},
		{"an object leads to no path that would be refused", func(t *testing.T, v *visit) {
			r := v.tablet("tech1", "a").write(set("/x", `{"":1}`), set("/x", `{"a\u0000":1}`),
				set(strings.Repeat("/s", 16), `{"a":1}`),
				appendTo(strings.Repeat("/s", 16), "1"), appendTo("/"+strings.Repeat("x", 480), "1"))
			same(t, r.statuses(), "rejected rejected rejected rejected rejected")
		}},
		{"numbers are kept as they are written, up to 34 digits and exponents of 64", func(t *testing.T, v *visit) {
			long := strings.Repeat("1234567890", 3) + "1234"
			r := v.tablet("tech1", "a").write(set("/a", long), set("/b", "-0."+long), set("/c", "1e64"), set("/d", "1.50E-64"),
				set("/e", "-0"),
				set("/f", long+"5"), set("/g", "1e65"), set("/h", "1e-65"), set("/i", "[1e65]"), set("/j",
					`{"k":`+long+`5}`), increment("/k", "1e65"))
			same(t, r.statuses(),
				"applied applied applied applied applied rejected rejected rejected rejected rejected rejected")
			v.document(`{"a":` + long + `,"b":-0.` + long + `,"c":1e64,"d":1.50E-64,"e":-0}`)
		}},
		{"a value has at most 64 KiB and is at most 32 deep", func(t *testing.T, v *visit) {
			text := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
			deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
			r := v.tablet("tech1", "a").write(set("/a", text(64<<10)), set("/b", text(64<<10+1)), set("/c", deep(32)),
				set("/d", deep(33)))
			same(t, r.statuses(), "applied rejected applied rejected")
		}},
		{"what breaks a limit is answered with the limit", limitsAreNamed},
		{"a batch has at most 5000 changes", func(t *testing.T, v *visit) {
			changes := make([]string, 5001)
			for i := range changes {
				changes[i] = set(fmt.Sprintf("/items/I-%d/note", i%100), `"x"`)
			}
			p := v.refused("tech1", http.StatusUnprocessableEntity, batch{client: "a", number: 1, changes: changes})
			if !strings.Contains(p.Message, "5000") {
				t.Errorf("the message does not name the limit: %s", p.Message)
			}
			same(t, v.send("tech1", batch{client: "a", number: 1, changes: changes[1:]}).Applied, 5000)
		}},
		{"keys that are there twice or in another case make the whole body unreadable", func(t *testing.T, v *visit) {
			for i, body := range []string{
				`{"changes":[],"changes":[]}`, `{"changes":[],"Changes":[]}`, `{"Changes":[]}`,
				`{"changes":[],"_sync_meta":{"Client_ID":"a"}}`,
				`{"changes":[],"_sync_meta":{"client_id":"a","client_id":"b"}}`,
				`{"changes":[],"_sync_meta":{"vector_clock":{"a":1,"a":2}}}`,
				`{"changes":[{"op":"set","path":"/x","value":1,"value":2}]}`,
				`{"changes":[{"op":"set","Path":"/x","path":"/y","value":1}]}`,
				`{"changes":[{"op":"set","path":"/x","value":{"a":1,"a":2}}]}`, `{"changes":[{"op":"set","path":"/x","VALUE":1}]}`,
				`{"changes":[{"op":"set","path":"/x","value":1}],"ATOMIC":true}`, `{"changes":[`,
				`{"changes":[{"op":"set","path":"/\ud800","value":1}]}`,
				"{\"changes\":[{\"op\":\"set\",\"path\":\"/\xff\",\"value\":1}]}",
			} {
				q := as("tech1", "POST", v.path("/results"), body)
				q.header = map[string]string{"Idempotency-Key": fmt.Sprint(i)}
				httpkittest.WantProblem(t, v.do(q), http.StatusBadRequest)
			}
			for i, body := range []string{
				`{}`, `{"changes":null}`, `{"changes":{}}`, `[]`, `{"changes":[],"_sync_meta":[]}`,
				`{"changes":[],"_sync_meta":{"client_id":7}}`, `{"changes":[],"_sync_meta":{"sent_at":"now"}}`, `{"changes":[],"atomic":1}`,
			} {
				q := as("tech1", "POST", v.path("/results"), body)
				q.header = map[string]string{"Idempotency-Key": fmt.Sprint("later", i)}
				httpkittest.WantProblem(t, v.do(q), http.StatusUnprocessableEntity)
			}
			v.document(`{}`)
		}},
		{"without an Idempotency-Key nothing is taken", func(t *testing.T, v *visit) {
			httpkittest.WantProblem(t, v.do(as("tech1", "POST", v.path("/results"), `{"changes":[]}`)), http.StatusBadRequest)
		}},
	})
}

// limitsAreNamed breaks each limit by one, and wants the refusal to say what it is. What just keeps
// it applies.
func limitsAreNamed(t *testing.T, v *visit) {
	digits := func(n int) string { return strings.Repeat("7", n) }
	text := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	with := func(member string) string {
		return `{"op":"set","path":"/x","value":1,` + member + `}`
	}
	dots := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(`"a:1:%d"`, i)
		}
		return `{"op":"resolve","path":"/x","conflict_id":"c","reason":"r","dots":[` + strings.Join(all, ",") + `]}`
	}
	for name, row := range map[string]struct {
		kept, broken, limit string
	}{
		"value":              {set("/x", text(64<<10)), set("/x", text(64<<10+1)), "64 KiB"},
		"depth":              {set("/x", deep(32)), set("/x", deep(33)), "32"},
		"bytes of a path":    {set("/"+strings.Repeat("x", 511), "1"), set("/"+strings.Repeat("x", 512), "1"), "512 bytes"},
		"segments of a path": {set(strings.Repeat("/s", 16), "1"), set(strings.Repeat("/s", 17), "1"), "16 segments"},
		"room for a child":   {appendTo("/x", "1"), appendTo(strings.Repeat("/s", 16), "1"), "16 segments"},
		"digits":             {set("/x", digits(34)), set("/x", digits(35)), "34 digits"},
		"digits of a delta":  {increment("/y", digits(34)), increment("/y", digits(35)), "34 digits"},
		"exponent":           {set("/x", "1e64"), set("/x", "1e65"), "±64"},
		"negative exponent":  {set("/x", "1e-64"), set("/x", "1e-65"), "±64"},
		"reason":             {with(`"reason":` + text(2002)), with(`"reason":` + text(2003)), "2000 bytes"},
		"source":             {with(`"source":` + text(66)), with(`"source":` + text(67)), "64 bytes"},
		"instrument":         {with(`"instrument":` + text(2000)), with(`"instrument":` + text(2001)), "2000 bytes"},
		"dots":               {"", dots(1001), "1000"},
	} {
		r := v.send("tech1", batch{changes: []string{row.broken}})
		if r.statuses() != "rejected" || !strings.Contains(r.Results[0].Reason, row.limit) {
			t.Errorf("%s: %s: %q does not name %q", name, r.statuses(), r.Results[0].Reason, row.limit)
		}
		if row.kept != "" {
			same(t, name+" "+v.send("tech1", batch{changes: []string{row.kept}}).statuses(), name+" applied")
		}
	}
	ahead := v.refused("tech1", http.StatusConflict, batch{client: "ahead", number: 10_001})
	if !strings.Contains(ahead.Message, "10000") || ahead.FreshClientID == "" {
		t.Errorf("a number too far ahead: %+v", ahead)
	}
	v.send("tech1", batch{client: "ahead", number: 10_000})
	for member, limit := range map[string]string{
		"batch_id": "64 bytes", "prev_batch_id": "64 bytes",
		"client_id": "64 characters",
	} {
		q := as("tech1", "POST", v.path("/results"), `{"changes":[],"_sync_meta":{"`+member+`":`+text(67)+`}}`)
		q.header = map[string]string{"Idempotency-Key": member}
		if p := httpkittest.WantProblem(t, v.do(q), http.StatusUnprocessableEntity); !strings.Contains(p.Message, limit) {
			t.Errorf("%s: %s", member, p.Message)
		}
	}
	for key, limit := range map[string]string{"": "required", strings.Repeat("k", 256): "255"} {
		q := as("tech1", "POST", v.path("/results"), `{"changes":[]}`)
		if key != "" {
			q.header = map[string]string{"Idempotency-Key": key}
		}
		if p := httpkittest.WantProblem(t, v.do(q), http.StatusBadRequest); !strings.Contains(p.Message, limit) {
			t.Errorf("a key of %d characters: %s", len(key), p.Message)
		}
	}
}
