package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
)

func TestBody_EncodingsAndLimits(t *testing.T) {
	t.Parallel()
	plain := `{"site_name":"Pad","site_address":"Street"}`
	rows := []struct {
		name, media, encoding string
		body                  []byte
		status                int
		message               string
	}{
		{"plain", httpkit.MediaJSON, "", []byte(plain), 200, ""},
		{"charset", "application/json; charset=UTF-8", "", []byte(plain), 200, ""},
		{"no media type", "", "", []byte(plain), 200, ""},
		{"identity", httpkit.MediaJSON, "identity", []byte(plain), 200, ""},
		{"gzip", httpkit.MediaJSON, "gzip", httpkittest.Gzipped(t, []byte(plain)), 200, ""},
		{"zstd", httpkit.MediaJSON, "zstd", httpkittest.Zstded(t, []byte(plain)), 200, ""},
		{"at the limit", httpkit.MediaJSON, "", padded(jsonLimit), 200, ""},
		{"over the limit", httpkit.MediaJSON, "", padded(jsonLimit + 1), 413, "8388608 bytes"},
		{
			"over the limit once decoded", httpkit.MediaJSON, "gzip", httpkittest.Gzipped(t, padded(jsonLimit+1)), 413,
			"8388608 bytes",
		},
		{"bomb", httpkit.MediaJSON, "zstd", httpkittest.Zstded(t, padded(4<<20)), 413, "100 times"},
		{"gzip bomb", httpkit.MediaJSON, "gzip", httpkittest.Gzipped(t, padded(4<<20)), 413, "100 times"},
		{"over the limit on the wire", httpkit.MediaJSON, "gzip", httpkittest.Gzipped(t, noise(3<<20)), 413, "1048576 bytes"},
		{"broken gzip", httpkit.MediaJSON, "gzip", []byte(plain), 400, "gzip"},
		{"broken zstd", httpkit.MediaJSON, "zstd", []byte(plain), 400, "zstd"},
		{"cut gzip", httpkit.MediaJSON, "gzip", httpkittest.Gzipped(t, []byte(plain))[:20], 400, "gzip"},
		{"other encoding", httpkit.MediaJSON, "br", []byte(plain), 415, "Content-Encoding"},
		{"two encodings", httpkit.MediaJSON, "gzip, gzip", []byte(plain), 415, "Content-Encoding"},
		{"form", "application/x-www-form-urlencoded", "", []byte("site_name=x"), 415, "application/json"},
		{"broken media type", ";;", "", []byte(plain), 415, "application/json"},
		{"latin 1", "application/json; charset=latin1", "", []byte(plain), 415, "application/json"},
		{"empty", httpkit.MediaJSON, "", nil, 400, "needed"},
		{"blank", httpkit.MediaJSON, "", []byte(" \n"), 400, "needed"},
		{"not UTF-8", httpkit.MediaJSON, "", []byte("{\"site_name\":\"\xff\"}"), 400, "line 1"},
		{"byte order mark", httpkit.MediaJSON, "", []byte("\xef\xbb\xbf{}"), 400, "line 1"},
		{"two values", httpkit.MediaJSON, "", []byte("{}\n{}"), 400, "line 2"},
		{"deep", httpkit.MediaJSON, "", []byte(strings.Repeat("[", 20_000)), 400, "depth"},
	}
	w := newFurnished(t)
	for _, row := range rows {
		for _, known := range []bool{true, false} {
			r := httptest.NewRequest(http.MethodPatch, "/v1/buildings/closed", io.NopCloser(bytes.NewReader(row.body)))
			r.ContentLength = -1
			if known {
				r.ContentLength = int64(len(row.body))
			}
			r.Header.Set("Authorization", "Bearer "+w.tokens["admin"])
			r.Header.Set("Content-Type", row.media)
			if row.encoding != "" {
				r.Header.Set("Content-Encoding", row.encoding)
			}
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, r)
			if row.status < 400 {
				if rec.Code != row.status {
					t.Errorf("%s: status %d, want %d: %s", row.name, rec.Code, row.status, rec.Body)
				}
				continue
			}
			if p := httpkittest.WantProblem(t, rec, row.status); !strings.Contains(p.Message, row.message) {
				t.Errorf("%s (length known %v): message %q lacks %q", row.name, known, p.Message, row.message)
			}
		}
	}
}

// TestBody_Interrupted_408 speaks over a real connection: the deadline is the connection's.
func TestBody_Interrupted_408(t *testing.T) {
	t.Parallel()
	w := newFurnished(t, func(c *Config) { c.Limits.Pause = 50 * time.Millisecond })
	server := httptest.NewServer(w)
	defer server.Close()
	for path, media := range map[string]string{
		"/v1/buildings":                      httpkit.MediaJSON,
		"/v1/buildings/closed/assets/import": mediaCSV,
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		must(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn,
			"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\n{", path, w.tokens["admin"], media)
		must(t, err)
		answer := httpkittest.ReadAnswer(t, conn)
		p := httpkittest.WantProblem(t, answer, http.StatusRequestTimeout)
		if !p.Retryable || p.Message != "no bytes of the body arrived for 50ms" {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

// TestBody_SlowButArriving_Accepted sends a body in pieces that take longer than the pause
// together, though none does alone.
func TestBody_SlowButArriving_Accepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Limits.Pause = time.Minute })
	pipe, in := io.Pipe()
	r := httptest.NewRequest(http.MethodPost, "/v1/buildings", pipe)
	r.ContentLength = -1
	r.Header.Set("Authorization", "Bearer "+w.tokens["admin"])
	go func() {
		for _, c := range []byte(`{"site_name":"Slow","site_address":"Street"}`) {
			_, _ = in.Write([]byte{c})
		}
		_ = in.Close()
	}()
	rec := httptest.NewRecorder()
	deadlines := &httpkittest.Deadlines{ResponseRecorder: rec}
	w.ServeHTTP(deadlines, r)
	if rec.Code != http.StatusCreated {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	if deadlines.Reads < 44 || !deadlines.LastRead.IsZero() {
		t.Errorf("the deadline was moved %d times and left at %v, want one move per piece and none left", deadlines.Reads,
			deadlines.LastRead)
	}
}

// padded is a body of exactly n bytes that is right.
func padded(n int) []byte {
	body := []byte(`{"site_name":"Pad","site_address":"Street"}`)
	return append(body, bytes.Repeat([]byte(" "), n-len(body))...)
}

// noise does not compress.
func noise(n int) []byte {
	var out bytes.Buffer
	for i := uint64(1); out.Len() < n; i++ {
		fmt.Fprintf(&out, "%016x", i*0x9E3779B97F4A7C15)
	}
	return []byte(`{"site_name":"N","site_address":"S","metadata":{"x":"` + string(out.Bytes()[:n]) + `"}}`)
}
