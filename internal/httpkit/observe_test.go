package httpkit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"firemode"
	"firemode/internal/httpkit/httpkittest"
)

// TestObserve_FailureAfterTheFirstWrite_Closed: what has not been sent is taken back; else the
// connection is cut, so that a part is not taken for the whole.
func TestObserve_FailureAfterTheFirstWrite_Closed(t *testing.T) {
	t.Parallel()
	half := func(size int, end func() error) func(http.ResponseWriter, *http.Request) error {
		return func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("ETag", `"half"`)
			_, err := w.Write(bytes.Repeat([]byte("x"), size))
			return errors.Join(err, end())
		}
	}
	fails := func() error { return firemode.Unavailable(time.Second, "the database went away") }
	panics := func() error { panic("half way") }
	aborts := func() error { panic(http.ErrAbortHandler) }
	for i, row := range []struct {
		size   int
		end    func() error
		status int
	}{{100, fails, 503}, {100, panics, 500}, {100, aborts, 500}, {64 << 10, fails, 0}, {64 << 10, panics, 0}, {
		64 << 10,
		aborts, 0,
	}} {
		k := newKit(t, []Route{rawRoute(http.MethodGet, "/test/half", half(row.size, row.end))})
		if row.status != 0 {
			if rec := k.do("GET", "/test/half", ""); rec.Header().Get("ETag") != "" {
				t.Errorf("row %d: the ETag of what was taken back is there", i)
			} else {
				httpkittest.WantProblem(t, rec, row.status)
			}
			continue
		}
		server := httptest.NewServer(k)
		resp, err := http.Get(server.URL + "/test/half")
		must(t, err)
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("row %d: the client cannot tell that the answer is a part: %v", i, err)
		}
		resp.Body.Close()
		server.Close()
	}
}

func TestObserve_ClientLeft_499(t *testing.T) {
	t.Parallel()
	k := newKit(t, []Route{rawRoute(http.MethodGet, "/test/away",
		func(_ http.ResponseWriter, r *http.Request) error { return r.Context().Err() })})
	r := httptest.NewRequest(http.MethodGet, "/test/away", nil)
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	k.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
	if want := []string{"GET /test/away 499"}; !slices.Equal(k.seen.All(), want) {
		t.Errorf("observed %q, want %q", k.seen.All(), want)
	}
}
