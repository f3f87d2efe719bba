package httpapi

import (
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func TestCompression_ByAcceptEncoding(t *testing.T) {
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
		rec := w.do(request{
			as: "admin", method: "GET", path: "/v1/rules",
			header: map[string]string{"Accept-Encoding": row.accept},
		})
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
	small := w.do(request{
		as: "admin", method: "GET", path: "/v1/users/me",
		header: map[string]string{"Accept-Encoding": "gzip"},
	})
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
