package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
)

func TestSubmit_Lines_SameAsJSON(t *testing.T) {
	play(t, []scenario{
		{"a batch in lines is the batch in JSON, and a retry in the other form is a retry", func(t *testing.T, v *visit) {
			v.send("tech2", batch{client: "b", number: 1, changes: []string{set("/x", "0")}})
			b := batch{
				client: "a", number: 1, id: "one", key: "one",
				changes: []string{set("/x", "1"), set("bad", "1"), appendTo("/l", `{"y":2.50}`)},
			}
			posted := v.post("tech1", b)
			retry := v.lines("tech1", "POST", "/results", b.lined(t), "Idempotency-Key", "one", "Accept", httpkit.MediaJSON)
			rec := v.do(retry)
			same(t, []string{rec.Body.String(), rec.Header().Get("Idempotency-Replayed")},
				[]string{posted.Body.String(), "true"})
			retry.header["Accept"] = httpkit.MediaLines
			rec = v.do(retry)
			same(t, rec.Header().Get("Idempotency-Replayed"), "true")
			same(t, receiptIn(t, membersOf(t, rec)), posted.Body.String())
			retry.body = strings.Replace(retry.body, `"value":1`, `"value":2`, 1)
			httpkittest.WantProblem(t, v.do(retry), http.StatusConflict)
			b.key = "again"
			same(t, v.send("tech1", b).statuses(), "duplicate rejected duplicate")
			other := batch{client: "a", number: 2, id: "two", prev: "one", key: "two", changes: []string{set("/x", "3")}}
			first := v.do(v.lines("tech1", "POST", "/results", other.lined(t), "Idempotency-Key", "two"))
			same(t, v.post("tech1", other).Body.String(), receiptIn(t, membersOf(t, first)))
			v.document(`{"l":{"a:1:2":{"y":2.50}},"x":3}`)
		}},
		{"the first line may be missing, and other lines blank", func(t *testing.T, v *visit) {
			for i, body := range []string{
				set("/x", "1") + "\n" + set("/y", "2"),
				"\r\n \t\n" + set("/x", "1") + "\r\n\n" + set("/y", "2") + "\r\n\r\n",
				"{\"_sync_meta\":null}\n" + set("/x", "1") + "\n" + set("/y", "2") + "\n",
				"{\"atomic\":true}\n" + set("/x", "1") + "\n" + set("/y", "2") + "\n",
			} {
				all := membersOf(t, v.do(v.lines("tech1", "POST", "/results", body)))
				same(t, []string{all[0].name, all[1].name, all[2].name, all[3].name},
					[]string{"receipt", "result", "result", "end"})
				same(t, v.pull("tech1", "").Clock, map[string]int64{"~tech1": int64(i + 1)})
			}
			v.document(`{"x":1,"y":2}`)
			all := membersOf(t, v.do(v.lines("tech1", "POST", "/results",
				`{"_sync_meta":{"client_id":"a","vector_clock":{"a":1}}}`)))
			same(t, []int{len(all), int(v.pull("tech1", "").Clock["a"])}, []int{2, 1})
		}},
		{"a line that is no change is rejected alone, unless it is not JSON", func(t *testing.T, v *visit) {
			all := membersOf(t, v.do(v.lines("tech1", "POST", "/results",
				"7\nnull\n[]\n{}\n{\"_sync_meta\":{}}\n"+set("/x", "1"))))
			wantEnd(t, all, map[string]string{"result": "results"})
			var statuses []string
			for _, m := range all[1 : len(all)-1] {
				var r struct{ Status string }
				must(t, json.Unmarshal(m.value, &r, json.MatchCaseInsensitiveNames(true)))
				statuses = append(statuses, r.Status)
			}
			same(t, strings.Join(statuses, " "), "rejected rejected rejected rejected rejected applied")
			for body, want := range map[string]httpkittest.Detail{
				set("/x", "1") + "\n" + `{"op":"set","path":"/x","value":1,"value":2}`: {
					Field:  "changes[1].value",
					Reason: "line 2",
				},
				"\n\n" + set("/x", "1") + set("/y", "1"):         {Field: "changes[0]", Reason: "line 3"},
				"{\"op\":\"set\",\n\"path\":\"/x\",\"value\":1}": {Field: "", Reason: ""},
				"{\"atomic\":true}\n\n" + set("/x", "1") + "\n{": {Field: "", Reason: ""},
				`{"_sync_meta":{},"_sync_meta":{}}`:              {Field: "", Reason: "line 1"},
				`{"ATOMIC":true}`:                                {Field: "ATOMIC", Reason: "atomic"},
				`{"_sync_meta":{"Client_ID":"a"}}`: {
					Field:  "_sync_meta.Client_ID",
					Reason: "client_id",
				},
				`{"changes":[` + set("/x", "1") + `],"_sync_meta":{}}`: {
					Field:  "changes",
					Reason: "a line of its own",
				},
				"{\"op\":\"set\",\"path\":\"/\xff\",\"value\":1}":            {Field: "", Reason: "line 1"},
				set("/x", "1") + "\n" + `{"op":"set","Path":"/x","value":1}`: {Field: "", Reason: "path"},
				" \n\r\n": {Field: "", Reason: "needed"},
			} {
				p := httpkittest.WantProblem(t, v.do(v.lines("tech1", "POST", "/results", body)), http.StatusBadRequest)
				if !strings.Contains(p.Message, want.Reason) || want.Field != "" &&
					(len(p.Details) == 0 || p.Details[0].Field != want.Field) {
					t.Errorf("%q: %+v", body, p)
				}
			}
			for body, field := range map[string]string{
				`{"atomic":1}`: "atomic", `{"_sync_meta":[]}`: "_sync_meta",
				`{"_sync_meta":{"vector_clock":{"a":-1}}}`: "_sync_meta.vector_clock.a",
			} {
				same(t, httpkittest.WantProblem(t, v.do(v.lines("tech1", "POST", "/results", body)),
					http.StatusUnprocessableEntity).Details[0].Field, field)
			}
			v.document(`{"x":1}`)
		}},
		{"the limits are those of a JSON body", linesHaveLimits},
	})
}

// receiptIn is the JSON answer that the lines of a receipt come to.
func receiptIn(t testing.TB, all []member) string {
	t.Helper()
	wantEnd(t, all, map[string]string{"result": "results", "conflict": "conflicts"})
	var r receiptBody
	must(t, json.Unmarshal(all[0].value, &r))
	for _, m := range all[1 : len(all)-1] {
		switch m.name {
		case "result":
			var c changeBody
			must(t, json.Unmarshal(m.value, &c))
			r.Results = append(r.Results, c)
		case "conflict":
			var c conflictBody
			must(t, json.Unmarshal(m.value, &c))
			r.Conflicts = append(r.Conflicts, c)
		default:
			t.Errorf("a receipt with a line of %s", m.name)
		}
	}
	var text bytes.Buffer
	must(t, httpkit.EncodeJSON(&text, r))
	return text.String()
}

func linesHaveLimits(t *testing.T, v *visit) {
	many := make([]string, 5001)
	for i := range many {
		many[i] = set(fmt.Sprintf("/%d", i), "1")
	}
	p := httpkittest.WantProblem(t, v.do(v.lines("tech1", "POST", "/results", strings.Join(many, "\n"))),
		http.StatusUnprocessableEntity)
	same(t, p.Details, []httpkittest.Detail{{Field: "changes", Reason: "more than 5000 in one request"}})
	for _, row := range []struct {
		encoding, body string
		status         int
		message        string
	}{
		{"", strings.Repeat(" ", jsonLimit) + "1", 413, "8388608 bytes"},
		{"gzip", string(httpkittest.Gzipped(t, []byte(strings.Repeat("\n", 4<<20)+set("/x", "1")))), 413, "100 times"},
		{"zstd", string(httpkittest.Zstded(t, []byte(strings.Repeat("\n", 4<<20)+set("/x", "1")))), 413, "100 times"},
		{"gzip", string(noise(1<<20 + 1)), 413, "1048576 bytes"},
		{"br", set("/x", "1"), 415, "Content-Encoding"},
		{"gzip", string(httpkittest.Gzipped(t, []byte(set("/x", "1")))), 200, ""},
		{"zstd", string(httpkittest.Zstded(t, []byte(set("/x", "1")))), 200, ""},
		{"", strings.Repeat("\n", jsonLimit-len(set("/x", "1"))) + set("/x", "1"), 200, ""},
	} {
		rec := v.do(v.lines("tech1", "POST", "/results", row.body, "Content-Encoding", row.encoding))
		if row.status == http.StatusOK {
			membersOf(t, rec)
			continue
		}
		if p := httpkittest.WantProblem(t, rec, row.status); !strings.Contains(p.Message, row.message) {
			t.Errorf("%s: %s", row.encoding, p.Message)
		}
	}
	for media, status := range map[string]int{httpkit.MediaLines + "; charset=utf-8": 200, httpkit.MediaLines +
		"; charset=latin1": 415, "application/jsonl": 415} {
		if rec := v.do(v.lines("tech1", "POST", "/results", set("/x", "1"), "Content-Type", media)); rec.Code != status {
			t.Errorf("%s: status %d", media, rec.Code)
		}
	}
}
