package httpkittest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ReadAnswer reads one answer off a connection into a recorder.
func ReadAnswer(t testing.TB, conn net.Conn) *httptest.ResponseRecorder {
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

// Gzipped returns plain as gzip.
func Gzipped(t testing.TB, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(plain)
	must(t, err)
	must(t, z.Close())
	return out.Bytes()
}

// Zstded returns plain as zstd.
func Zstded(t testing.TB, plain []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	must(t, err)
	return z.EncodeAll(plain, nil)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Deadlines is a recorder that counts the deadlines that are set on its connection.
type Deadlines struct {
	*httptest.ResponseRecorder
	Reads    int       // read deadlines
	LastRead time.Time // the last of them
	Writes   int       // write deadlines
}

// SetReadDeadline counts a read deadline.
func (d *Deadlines) SetReadDeadline(t time.Time) error {
	d.Reads++
	d.LastRead = t
	return nil
}

// SetWriteDeadline counts a write deadline.
func (d *Deadlines) SetWriteDeadline(time.Time) error {
	d.Writes++
	return nil
}

// Unread is a body that must not be read.
type Unread struct{ TB testing.TB }

// Read fails the test.
func (u Unread) Read([]byte) (int, error) {
	u.TB.Error("the body was read")
	return 0, io.EOF
}
