package httpapi

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// readAnswer reads one answer off a connection into a recorder.
func readAnswer(t testing.TB, conn net.Conn) *httptest.ResponseRecorder {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer resp.Body.Close()
	rec := httptest.NewRecorder()
	for name, values := range resp.Header {
		rec.Header()[name] = values
	}
	rec.WriteHeader(resp.StatusCode)
	_, err = io.Copy(rec.Body, resp.Body)
	must(t, err)
	return rec
}
