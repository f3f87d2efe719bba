package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
)

func TestCompression(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.do(request{as: "admin", method: "GET", path: "/v1/rules"}).Body.String()
	for _, row := range []struct{ accept, encoding string }{
		{"", ""},
		{"gzip", "gzip"},
		{"zstd", "zstd"},
		{"gzip, deflate, br, zstd", "zstd"},
		{"gzip;q=1.0, zstd; q=0", "gzip"},
		{"br", ""},
		{"identity", ""},
		{"GZIP", "gzip"},
	} {
		rec := w.do(request{as: "admin", method: "GET", path: "/v1/rules", header: map[string]string{"Accept-Encoding": row.accept}})
		if got := rec.Header().Get("Content-Encoding"); got != row.encoding {
			t.Errorf("%q: Content-Encoding %q, want %q", row.accept, got, row.encoding)
			continue
		}
		if rec.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: Vary %q", row.accept, rec.Header().Get("Vary"))
		}
		if got := decompressed(t, row.encoding, rec.Body); got != plain {
			t.Errorf("%q: other content, %d bytes instead of %d", row.accept, len(got), len(plain))
		}
	}
	small := w.do(request{as: "admin", method: "GET", path: "/v1/users/me", header: map[string]string{"Accept-Encoding": "gzip"}})
	if got := small.Header().Get("Content-Encoding"); got != "" {
		t.Errorf("a small answer has Content-Encoding %q", got)
	}
}

func decompressed(t testing.TB, encoding string, r io.Reader) string {
	t.Helper()
	var err error
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	must(t, err)
	text, err := io.ReadAll(r)
	must(t, err)
	return string(text)
}

func TestAccept(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for _, row := range []struct {
		path, accept string
		status       int
	}{
		{"/v1/users/me", "", 200},
		{"/v1/users/me", "*/*", 200},
		{"/v1/users/me", "application/*", 200},
		{"/v1/users/me", "text/html, application/json;q=0.5", 200},
		{"/v1/users/me", "application/problem+json, */*", 200},
		{"/v1/users/me", "text/html", 406},
		{"/v1/users/me", "application/json;q=0", 406},
		{"/v1/users/me", "nonsense", 406},
		{"/v1/buildings/closed/assets/export", "text/csv", 200},
		{"/v1/buildings/closed/assets/export", "application/json", 406},
		{"/docs", "text/html,application/xhtml+xml", 200},
	} {
		rec := w.do(request{as: "admin", method: "GET", path: row.path, header: map[string]string{"Accept": row.accept}})
		if rec.Code != row.status {
			t.Errorf("%s with %q: status %d, want %d", row.path, row.accept, rec.Code, row.status)
		}
		if row.status == http.StatusNotAcceptable {
			httpkittest.WantProblem(t, rec, row.status)
		}
		if row.status == http.StatusOK && strings.HasPrefix(row.path, "/v1/users") && rec.Header().Get("Content-Type") != httpkit.MediaJSON {
			t.Errorf("%s with %q: Content-Type %q", row.path, row.accept, rec.Header().Get("Content-Type"))
		}
	}
}

func TestETags(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	for path, change := range map[string]string{
		"/v1/users/u-owner":                `{"full_name":"other"}`,
		"/v1/buildings/closed":             `{"site_name":"other"}`,
		"/v1/buildings/closed/assets/FE-1": `{"notes":"other"}`,
	} {
		read := func(header map[string]string) (int, string, int) {
			rec := w.do(request{as: "admin", method: "GET", path: path, header: header})
			return rec.Code, rec.Header().Get("ETag"), rec.Body.Len()
		}
		_, tag, _ := read(nil)
		if status, _, size := read(map[string]string{"If-None-Match": tag}); status != http.StatusNotModified || size != 0 {
			t.Errorf("%s held already: status %d, %d bytes", path, status, size)
		}
		for _, row := range []struct {
			ifMatch string
			status  int
		}{{`"99"`, 412}, {`"stale"`, 412}, {"stale", 412}, {"W/" + tag, 412}, {tag, 200}, {tag, 412}, {"*", 200}, {"", 200}} {
			rec := w.do(request{as: "admin", method: "PATCH", path: path, body: change, header: map[string]string{"If-Match": row.ifMatch}})
			if rec.Code != row.status {
				t.Errorf("%s with If-Match %s: status %d, want %d: %s", path, row.ifMatch, rec.Code, row.status, rec.Body)
			}
			// Each change differs from the one before, so that each raises the version.
			change = strings.Replace(change, `other`, `other.`, 1)
		}
		if status, now, _ := read(map[string]string{"If-None-Match": tag}); status != http.StatusOK || now == tag {
			t.Errorf("%s changed: status %d, ETag %s", path, status, now)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	broken := false
	w := newWorld(t, func(c *Config) {
		c.Operation.Checks["second"] = func(ctx context.Context) error {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 2*time.Second {
				t.Error("a check without a deadline")
			}
			if broken {
				return errors.New("dial 10.0.0.1: refused")
			}
			return nil
		}
	})
	latency := regexp.MustCompile(`"latency_ms":[0-9.]+`)
	for _, row := range []struct {
		broken bool
		status int
		body   string
	}{
		{false, 200, `{"ready":true,"status":"healthy","checks":{"second":{"ok":true,"latency_ms":0,"state":"healthy"},"store":{"ok":true,"latency_ms":0,"state":"healthy"}}}`},
		{true, 503, `{"ready":false,"status":"unhealthy","checks":{"second":{"ok":false,"latency_ms":0,"state":"unhealthy"},"store":{"ok":true,"latency_ms":0,"state":"healthy"}}}`},
	} {
		broken = row.broken
		for _, path := range []string{"/health/ready", "/health"} {
			rec := w.do(request{method: "GET", path: path})
			if got := latency.ReplaceAllString(rec.Body.String(), `"latency_ms":0`); rec.Code != row.status || got != row.body {
				t.Errorf("%s: status %d, %s; want %d, %s", path, rec.Code, got, row.status, row.body)
			}
		}
	}
	if !strings.Contains(w.logs.String(), "second: dial 10.0.0.1: refused") {
		t.Error("the log does not say what is not ready")
	}
	if rec := w.do(request{method: "GET", path: "/health/live"}); rec.Code != http.StatusOK || rec.Body.String() != `{"status":"healthy"}` {
		t.Errorf("live: %d %s", rec.Code, rec.Body)
	}
}

func TestDocumentation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := w.do(request{method: "GET", path: "/docs"}).Body.String()
	for _, rt := range routes() {
		if !strings.Contains(page, "<code>"+rt.Pattern+"</code> "+rt.Summary) {
			t.Errorf("the page lacks %s %s", rt.Method, rt.Pattern)
		}
	}
	if found := regexp.MustCompile(`(?i)<script|https?://|//[a-z]|url\(|@import`).FindString(page); found != "" {
		t.Errorf("the page loads something: %q", found)
	}
	var spec struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]any
	}
	must(t, json.Unmarshal(w.do(request{method: "GET", path: "/openapi.json"}).Body.Bytes(), &spec, json.MatchCaseInsensitiveNames(true)))
	for _, rt := range routes() {
		if spec.Paths[rt.Pattern][strings.ToLower(rt.Method)] == nil {
			t.Errorf("openapi.json lacks %s %s", rt.Method, rt.Pattern)
		}
	}
	want, err := OpenAPI()
	must(t, err)
	if got := w.do(request{method: "GET", path: "/openapi.yaml"}).Body.String(); got != string(want) {
		t.Error("openapi.yaml that is served is not the one that is committed")
	}
}
