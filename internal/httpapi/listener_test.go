package httpapi

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"firemode/internal/httpkit"
	"firemode/internal/httpkit/httpkittest"
)

// TestListener_MalformedRequest_Problem sends what never reaches a handler.
func TestListener_MalformedRequest_Problem(t *testing.T) {
	t.Parallel()
	server := newWorld(t).served()
	for name, row := range map[string]struct {
		raw    string
		status int
	}{
		"bad escape in the path":  {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"no path":                 {"GET HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"space in the path":       {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"control in the path":     {"GET /a\x01b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"not HTTP":                {"\x16\x03\x01\x02\x00\r\n\r\n", 400},
		"no host":                 {"GET /health HTTP/1.1\r\n\r\n", 400},
		"two hosts":               {"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
		"bad header name":         {"GET /health HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n", 400},
		"bad header value":        {"GET /health HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400},
		"bad content length":      {"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
		"large headers":           {"GET /health HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 20<<10) + "\r\n\r\n", 431},
		"unknown transfer coding": {"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n", 501},
		"unknown version":         {"GET /health HTTP/3.7\r\nHost: x\r\n\r\n", 505},
		"the whole server":        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		"bad chunk": {
			"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
			400,
		},
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		must(t, err)
		_, err = io.WriteString(conn, row.raw)
		must(t, err)
		t.Run(name, func(t *testing.T) { httpkittest.WantProblem(t, httpkittest.ReadAnswer(t, conn), row.status) })
		conn.Close()
	}
}

// TestListener_OverTheWire is what only a real connection shows.
func TestListener_OverTheWire(t *testing.T) {
	t.Parallel()
	w := newFurnished(t)
	server := w.served()
	get := func(method, path string, body io.Reader) *http.Response {
		r, err := http.NewRequest(method, server.URL+path, body)
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+w.tokens["admin"])
		resp, err := http.DefaultTransport.RoundTrip(r)
		must(t, err)
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	if resp := get("HEAD", "/v1/buildings/closed/", nil); resp.StatusCode != http.StatusOK || resp.ContentLength < 100 ||
		resp.Header.Get("ETag") == "" {
		t.Errorf("HEAD: %d, %d bytes, ETag %q", resp.StatusCode, resp.ContentLength, resp.Header.Get("ETag"))
	}
	if resp := get("POST", "/v1/buildings/",
		strings.NewReader(`{"site_name":"Wire","site_address":"Street"}`)); resp.StatusCode != http.StatusCreated {
		t.Errorf("POST with a trailing slash: %d", resp.StatusCode)
	}
	big := get("POST", "/v1/buildings", io.LimitReader(endless{}, jsonLimit+2))
	if big.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", big.StatusCode)
	}
}

// served is the API behind a real server on a real connection.
func (w *world) served() *httptest.Server {
	w.t.Helper()
	return serve(w.t, w)
}

func serve(t testing.TB, handler http.Handler) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	must(t, err)
	server := httptest.NewUnstartedServer(handler)
	must(t, server.Listener.Close())
	server.Listener = httpkit.Listener(l, newID)
	server.Config.MaxHeaderBytes = 4 << 10
	server.Config.DisableGeneralOptionsHandler = true
	server.Start()
	t.Cleanup(server.Close)
	return server
}
