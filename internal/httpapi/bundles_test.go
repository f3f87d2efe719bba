package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/bundles"
	"firemode/internal/httpkit/httpkittest"
	"firemode/internal/rules"
)

func TestBundle_CarriesEverything(t *testing.T) {
	playSmall(t, []scenario{
		{"it holds everything: building, register, items, rules, and the results with their clock", bundleHolds},
		{"its timestamp is the receipt of the last change in it", func(t *testing.T, v *visit) {
			c := v.clocked()
			a, b := v.pair()
			created, err := time.Parse(time.RFC3339, v.get(http.StatusOK, as("tech1", "GET", v.path("")))["created_at"].(string))
			must(t, err)
			same(t, v.carry("tech1", "").Timestamp.Equal(created), true)
			a.write(set("/x", "1"))
			b.write(set("/x", "2"))
			c.pass(time.Second)
			last := v.pull("tech1", "").conflictAt(t, "/x").Values[0].ReceivedAt
			same(t, v.carry("tech1", "").Timestamp.Equal(last), true)
		}},
		{"equal content has equal bytes and one ETag, and 304 when the client has it", func(t *testing.T, v *visit) {
			c := v.clocked()
			v.send("tech1", batch{client: "a", number: 1, changes: []string{set("/x", "1"), set("/y", `{"b":1,"a":2}`)}})
			c.pass(time.Second)
			first := v.fetch("tech1")
			tag := first.Header().Get("ETag")
			if !strings.HasPrefix(tag, `"`) || first.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("ETag %s, Vary %s", tag, first.Header().Get("Vary"))
			}
			c.pass(time.Hour)
			v.clocked() // bundles that remember nothing
			again := v.fetch("tech2", "X-Client-ID", "b")
			same(t, again.Body.String(), first.Body.String())
			same(t, again.Header().Get("ETag"), tag)
			held := v.fetch("tech1", "If-None-Match", tag)
			same(t, []any{held.Code, held.Body.Len(), held.Header().Get("ETag")}, []any{http.StatusNotModified, 0, tag})
			c = v.clocked()
			v.send("tech1", batch{client: "a", number: 2, changes: []string{set("/x", "2")}})
			c.pass(time.Second)
			now := v.fetch("tech1", "If-None-Match", tag)
			if now.Code != http.StatusOK || now.Header().Get("ETag") == tag {
				t.Errorf("changed: status %d, ETag %s", now.Code, now.Header().Get("ETag"))
			}
		}},
		{"each encoding has its own ETag and the same content", func(t *testing.T, v *visit) {
			v.clocked()
			plain := v.fetch("tech1")
			tags := map[string]string{"": plain.Header().Get("ETag")}
			for accept, encoding := range map[string]string{
				"gzip": "gzip", "zstd": "zstd", "gzip, zstd": "zstd",
				"identity": "", "br": "",
			} {
				rec := v.fetch("tech1", "Accept-Encoding", accept)
				same(t, rec.Header().Get("Content-Encoding"), encoding)
				same(t, rec.Header().Get("Content-Length"), fmt.Sprint(rec.Body.Len()))
				tag := rec.Header().Get("ETag")
				same(t, v.fetch("tech1", "Accept-Encoding", accept, "If-None-Match", tag).Code, http.StatusNotModified)
				if known, ok := tags[encoding]; ok {
					same(t, tag, known)
				}
				tags[encoding] = tag
				same(t, decompressed(t, encoding, rec.Body), plain.Body.String())
			}
			if tags[""] == tags["gzip"] || tags["gzip"] == tags["zstd"] || tags["zstd"] == tags[""] {
				t.Errorf("two encodings have one ETag: %v", tags)
			}
		}},
		{"a range brings its part, if the bundle is still the same", bundleRanges},
		{"what it holds is delivered to the client that it names", func(t *testing.T, v *visit) {
			c := v.clocked()
			a, b := v.pair()
			b.write(set("/x", "1"), set("/y", "1"))
			v.carry("tech1", "")
			a.seen = map[string]int64{"b": 1}
			same(t, a.write(set("/x", "2")).Clock, map[string]int64{"a": 1})
			c.pass(time.Second)
			a.seen = v.carry("tech1", "a").Clock
			same(t, a.seen, map[string]int64{"a": 1, "b": 1})
			same(t, a.write(set("/y", "2")).Clock, map[string]int64{"a": 2, "b": 1})
			v.disputed(`value /x 2 1`)
		}},
		{"it trails the head by less than a second, and delivers what it holds alone", func(t *testing.T, v *visit) {
			c := v.clocked()
			a, b := v.pair()
			b.write(set("/x", "1"))
			same(t, v.carry("tech1", "a").Clock, map[string]int64{"b": 1})
			b.write(set("/x", "2"))
			c.pass(time.Second - time.Nanosecond)
			same(t, v.carry("tech1", "a").Clock, map[string]int64{"b": 1})
			a.seen = map[string]int64{"b": 2}
			same(t, a.write(set("/x", "3")).Clock, map[string]int64{"a": 1, "b": 1})
			c.pass(time.Nanosecond)
			same(t, v.carry("tech1", "a").Clock, map[string]int64{"a": 1, "b": 2})
			v.disputed(`value /x 3 2`)
		}},
		{
			"one that does not fit into the memory for those that are kept is made anew each time",
			func(t *testing.T, v *visit) {
				v.clocked(func(c *bundles.Config) { c.CacheBytes = 1 })
				a, _ := v.pair()
				a.write(set("/x", "1"))
				same(t, v.carry("tech1", "").Clock, map[string]int64{"a": 1})
				a.write(set("/x", "2"))
				same(t, v.carry("tech1", "").Clock, map[string]int64{"a": 2})
			},
		},
		{"results that are too large to be held are refused while they are read", func(t *testing.T, v *visit) {
			v.clocked(func(c *bundles.Config) { c.MaxResults = 2000 })
			v.carry("tech1", "")
			v.clocked(func(c *bundles.Config) { c.MaxResults = 2000 })
			v.send("tech1", batch{changes: []string{set("/x", `"`+strings.Repeat("x", 2000)+`"`)}})
			p := httpkittest.WantProblem(t, v.fetch("tech1"), http.StatusRequestEntityTooLarge)
			same(t, p.Message, "the results of this session are over the limit of 2000 bytes for a bundle")
		}},
		{"one whose maker fails is an error of that request alone", func(t *testing.T, v *visit) {
			v.clocked(func(c *bundles.Config) { c.Rules = brokenRuleSets{c.Rules} })
			p := httpkittest.WantProblem(t, v.fetch("tech1"), http.StatusInternalServerError)
			same(t, p.Retryable, true)
			v.clocked()
			v.carry("tech1", "")
		}},
		{"the defects of earlier visits that are still open are its prior faults", priorFaults},
		{"who may not see the session gets no bundle of it", func(t *testing.T, v *visit) {
			v.clocked()
			same(t, v.fetch("owner").Code, http.StatusOK)
			httpkittest.WantProblem(t, v.fetch("stranger"), http.StatusNotFound)
			httpkittest.WantProblem(t, v.fetch("tech1", "X-Client-ID", "no id"), http.StatusBadRequest)
		}},
	})
}

// carried is an offline bundle.
type carried struct {
	Session   string `json:"session_id"`
	Timestamp time.Time
	Clock     map[string]int64 `json:"vector_clock"`
	Data      struct {
		Building, Results   jsontext.Value
		Assets, Items       []map[string]any
		Rules, Prior_faults []map[string]any
	}
}

// clock is the time that the bundles of a visit are made by.
type clock struct{ now time.Time }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// clocked gives the visit bundles of its own, made by a clock that the test moves.
func (v *visit) clocked(change ...func(*bundles.Config)) *clock {
	v.t.Helper()
	c := &clock{now: time.Now()}
	before := v.Services.Bundles
	config := bundles.Config{
		Views: v.Services.Views, Rules: v.Services.Catalogue, Encode: NewBundleEncoder(v.config.CursorKey),
		Now: func() time.Time { return c.now },
	}
	for _, f := range change {
		f(&config)
	}
	service, err := bundles.New(v.store, config)
	must(v.t, err)
	v.Services.Bundles = service
	v.t.Cleanup(func() {
		v.Services.Bundles = before
		service.Close()
	})
	return c
}

// fetch asks for the bundle with these headers: names and values in turn.
func (v *visit) fetch(who string, header ...string) *httptest.ResponseRecorder {
	v.t.Helper()
	q := as(who, "GET", v.path("/offline_bundle"))
	q.header = map[string]string{}
	for i := 0; i < len(header); i += 2 {
		q.header[header[i]] = header[i+1]
	}
	return v.do(q)
}

// carry fetches the bundle for client, "" for nobody.
func (v *visit) carry(who, client string) (b carried) {
	v.t.Helper()
	var header []string
	if client != "" {
		header = []string{"X-Client-ID", client}
	}
	rec := v.fetch(who, header...)
	if rec.Code != http.StatusOK {
		v.t.Fatalf("bundle as %s: status %d: %s", who, rec.Code, rec.Body)
	}
	into(v.t, rec, &b)
	return b
}

// brokenRuleSets panics instead of returning the rules.
type brokenRuleSets struct{ bundles.RuleSets }

func (brokenRuleSets) RuleSet(context.Context, firemode.OrgID) (*rules.Set, error) { panic("torn") }

func bundleHolds(t *testing.T, v *visit) {
	c := v.clocked()
	a, b := v.pair()
	a.write(set(gauge+"pressure_low", "true"), set("/items/HR-1/measurements/flow_lps", "0.450"))
	b.write(set("/items/HR-1/measurements/flow_lps", "0.46"))
	c.pass(time.Second)
	got := v.carry("tech1", "")
	same(t, []any{got.Session, got.Clock}, []any{v.id, map[string]int64{"a": 1, "b": 1}})
	building := v.get(http.StatusOK, as("tech1", "GET", v.path("")))["building_id"].(string)
	same(t, string(got.Data.Building), v.do(as("tech1", "GET", "/v1/buildings/"+building)).Body.String())
	same(t, got.Data.Assets, v.list("/v1/buildings/"+building+"/assets"))
	items := v.list(v.path("/items"))
	for _, item := range items {
		for _, moving := range []string{"state", "outcome", "missing"} {
			delete(item, moving)
		}
	}
	same(t, got.Data.Items, items)
	var rules []string
	for _, item := range items {
		for _, check := range item["checks"].([]any) {
			rules = append(rules, check.(map[string]any)["rule_code"].(string))
		}
	}
	slices.Sort(rules)
	same(t, field(got.Data.Rules, "rule_code"), slices.Compact(rules))
	same(t, string(got.Data.Results), v.do(as("tech1", "GET", v.path("/results"))).Body.String())
	same(t, got.Data.Prior_faults, []map[string]any{})
}

func bundleRanges(t *testing.T, v *visit) {
	c := v.clocked()
	for _, encoding := range []string{"", "gzip", "zstd"} {
		whole := v.fetch("tech1", "Accept-Encoding", encoding)
		tag, text := whole.Header().Get("ETag"), whole.Body.String()
		same(t, whole.Header().Get("Accept-Ranges"), "bytes")
		size := len(text)
		for ask, part := range map[string][2]int{
			"bytes=0-99": {0, 100}, "bytes=100-": {100, size},
			"bytes=-7": {size - 7, size}, "bytes=50-999999999": {50, size},
		} {
			rec := v.fetch("tech1", "Accept-Encoding", encoding, "Range", ask, "If-Range", tag)
			same(t, []any{rec.Code, rec.Body.String()}, []any{http.StatusPartialContent, text[part[0]:part[1]]})
			same(t, rec.Header().Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", part[0], part[1]-1, size))
			same(t, []string{rec.Header().Get("ETag"), rec.Header().Get("Content-Encoding")}, []string{tag, encoding})
		}
		for _, ask := range []string{fmt.Sprintf("bytes=%d-", size), "bytes=x-", "bytes=9-2"} {
			rec := v.fetch("tech1", "Accept-Encoding", encoding, "Range", ask)
			httpkittest.WantProblem(t, rec, http.StatusRequestedRangeNotSatisfiable)
			same(t, []string{rec.Header().Get("ETag"), rec.Header().Get("Content-Encoding")}, []string{"", ""})
		}
		v.send("tech1", batch{changes: []string{increment("/n", "1")}})
		c.pass(time.Second)
		changed := v.fetch("tech1", "Accept-Encoding", encoding, "Range", "bytes=0-99", "If-Range", tag)
		if changed.Code != http.StatusOK || changed.Header().Get("ETag") == tag {
			t.Errorf("%s: status %d for a part of a bundle that is no more", encoding, changed.Code)
		}
	}
}

func priorFaults(t *testing.T, v *visit) {
	v.clocked()
	building := v.get(http.StatusOK, as("tech1", "GET", v.path("")))["building_id"].(string)
	v.send("tech1", batch{client: "a", number: 1, changes: []string{
		set(gauge+"pressure_low", "true"), set(gauge+"gauge_damaged", "true"), set(gauge+"discharged", "true"),
		set("/items/HR-1/measurements/flow_lps", "0.1"),
	}})
	v.send("tech1", batch{client: "a", number: 2, changes: []string{remove(gauge + "gauge_damaged")}})
	closed := v.defectOn("discharged")["defect_id"].(string)
	v.get(http.StatusOK, as("engineer", "PATCH", "/v1/defects/"+closed, `{"status":"closed"}`))
	next := v.open(building, v.id+"-next", "six_monthly")
	next.send("tech1", batch{changes: []string{set(gauge+"gauge_unreadable", "true")}})
	later := v.open(building, v.id+"-later", "monthly")
	conditions := func(x *visit) []string {
		return slices.Sorted(slices.Values(field(x.carry("tech1", "").Data.Prior_faults, "condition")))
	}
	same(t, conditions(v), nil)
	same(t, conditions(next), []string{"flow_below_minimum", "pressure_low"})
	same(t, conditions(later), []string{"flow_below_minimum", "gauge_unreadable", "pressure_low"})
	faults := next.carry("tech1", "").Data.Prior_faults
	same(t, faults, slices.DeleteFunc(v.defects(""), func(d map[string]any) bool { return d["status"] != "open" }))
}
