package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// script is a server that gives its answers in turn, and notes what it was asked.
type script struct {
	mu      sync.Mutex
	answers []http.HandlerFunc
	asked   []request
	waits   []time.Duration // that the client slept
}

type request struct {
	method, path, key, authorization, encoding, body string
}

// play starts the server and returns a client of it, which does not really sleep.
func play(t *testing.T, c Config, answers ...http.HandlerFunc) (*script, *Client) {
	t.Helper()
	s := &script{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c.BaseURL = server.URL
	c.Sleep = func(ctx context.Context, d time.Duration) error {
		s.waits = append(s.waits, d)
		return ctx.Err()
	}
	made, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s, made
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") == "zstd" {
		z, _ := zstd.NewReader(nil)
		body, _ = z.DecodeAll(body, nil)
	}
	s.mu.Lock()
	i := len(s.asked)
	s.asked = append(s.asked, request{
		r.Method, r.URL.RequestURI(), r.Header.Get(headerKey), r.Header.Get("Authorization"), r.Header.Get("Content-Encoding"), string(body),
	})
	s.mu.Unlock()
	if i >= len(s.answers) {
		http.Error(w, "nothing more is in the script", http.StatusTeapot)
		return
	}
	s.answers[i](w, r)
}

func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// cut breaks the connection after the first bytes of an answer, if there are any.
func cut(begun string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if begun != "" {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, begun)
		}
		panic(http.ErrAbortHandler)
	}
}

const busy = `{"transaction_id":"x","error_code":"FIRE-503","message":"try again","retryable":true,"details":[]}`

func TestRetries(t *testing.T) {
	ok := answer(200, `{"user_id":"u1"}`)
	for _, c := range []struct {
		name    string
		answers []http.HandlerFunc
		tries   int
		status  int // of the error, 0 for none
	}{
		{"at once", []http.HandlerFunc{ok}, 1, 0},
		{"after retryable answers", []http.HandlerFunc{answer(503, busy), answer(409, strings.Replace(busy, "503", "409", 1)), ok}, 3, 0},
		{"after a lost connection", []http.HandlerFunc{cut(""), ok}, 2, 0},
		{"after half an answer", []http.HandlerFunc{cut(`{"user`), ok}, 2, 0},
		{"after a gateway's answer", []http.HandlerFunc{answer(502, "<html>"), ok}, 2, 0},
		{"not after a refusal", []http.HandlerFunc{answer(422, strings.Replace(busy, "true", "false", 1)), ok}, 1, 422},
		{"not after a gateway's refusal", []http.HandlerFunc{answer(403, "no"), ok}, 1, 403},
		{"not for ever", []http.HandlerFunc{answer(503, busy), answer(503, busy), answer(503, busy), answer(503, busy), ok}, 4, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, api := play(t, Config{Attempts: 4}, c.answers...)
			u, err := api.CreateUser(t.Context(), NewUser{Username: "jo"})
			if StatusOf(err) != c.status || (err == nil) != (u.ID == "u1") || (err == nil) != (c.status == 0) {
				t.Errorf("%+v, %v", u, err)
			}
			if len(s.asked) != c.tries {
				t.Errorf("asked %d times, want %d", len(s.asked), c.tries)
			}
			for _, r := range s.asked {
				if r.key == "" || r != s.asked[0] {
					t.Errorf("%+v after %+v: a retry is the same request under the same key", r, s.asked[0])
				}
			}
		})
	}
}

func TestWaitsGrowAndAreAtLeastWhatTheServerAsksFor(t *testing.T) {
	for attempt := 1; attempt < 20; attempt++ {
		most := min(longest, firstWait<<(min(attempt, 10)-1))
		wait, again := backoff(attempt, &Error{Retryable: true})
		if !again || wait < most/2 || wait > most {
			t.Errorf("attempt %d: %v, %v", attempt, wait, again)
		}
	}
	if wait, _ := backoff(1, &Error{Retryable: true, RetryAfter: time.Minute}); wait != time.Minute {
		t.Errorf("waits %v, the server asked for a minute", wait)
	}
	for _, err := range []error{&Error{}, context.Canceled, errors.New("unreadable")} {
		if _, again := backoff(1, err); again {
			t.Errorf("%v is tried again", err)
		}
	}
	if _, again := backoff(1, &lostError{context.DeadlineExceeded}); !again {
		t.Error("a timeout of the http.Client is not tried again")
	}
}

func TestCtxEndsTheWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, api := play(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		answer(503, busy)(w, r)
	})
	if _, err := api.Me(ctx); err == nil || len(s.asked) != 1 {
		t.Errorf("asked %d times, %v", len(s.asked), err)
	}
}

func TestSentAtIsThatOfTheAttempt(t *testing.T) {
	now := noon
	s, api := play(t, Config{Now: func() time.Time { return now }}, func(w http.ResponseWriter, r *http.Request) {
		now = now.Add(7 * time.Minute)
		answer(503, busy)(w, r)
	}, answer(200, "{}"))
	fast := Submission{Meta: Meta{SentAt: noon.Add(24 * time.Hour)}}
	if _, err := api.SubmitResults(t.Context(), "s1", "k1", fast); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"2026-11-21T12:00:00Z", "2026-11-21T12:07:00Z"} {
		if body := `{"changes":[],"_sync_meta":{"sent_at":"` + want + `"}}`; s.asked[i].body != body || s.asked[i].key != "k1" {
			t.Errorf("attempt %d: %+v", i+1, s.asked[i])
		}
	}
}

func TestErrorIsWhatTheAnswerSays(t *testing.T) {
	_, api := play(t, Config{}, answer(409, `{"transaction_id":"t1","error_code":"FIRE-409","message":"forked","retryable":false,
		"details":[{"field":"a","reason":"b"}],"fresh_client_id":"f-1"}`))
	_, err := api.SubmitResults(t.Context(), "s1", "k1", Submission{})
	var e *Error
	if !errors.As(err, &e) || e.Status != 409 || e.TransactionID != "t1" || e.FreshClientID != "f-1" || !slices.Equal(e.Details, []Detail{{"a", "b"}}) {
		t.Errorf("%+v", err)
	}
	if want := "POST /v1/tests/sessions/s1/results: forked (FIRE-409, request t1)"; err.Error() != want {
		t.Errorf("it reads %q, want %q", err, want)
	}
}

func TestBodies(t *testing.T) {
	ok := answer(200, "{}")
	t.Run("a large one is compressed", func(t *testing.T) {
		s, api := play(t, Config{}, ok)
		text := strings.Repeat("words ", 200) + strings.Repeat("and more of them, ", 200)
		if _, err := api.CreateBuilding(t.Context(), NewBuilding{Name: text}); err != nil {
			t.Fatal(err)
		}
		if s.asked[0].encoding != "zstd" || s.asked[0].body != `{"site_name":"`+text+`","site_address":""}` {
			t.Errorf("sent %s, %q", s.asked[0].encoding, s.asked[0].body)
		}
	})
	t.Run("one that would shrink too much is not", func(t *testing.T) {
		s, api := play(t, Config{}, ok)
		if _, err := api.CreateBuilding(t.Context(), NewBuilding{Name: strings.Repeat("x", 100_000)}); err != nil || s.asked[0].encoding != "" {
			t.Errorf("sent %q, %v", s.asked[0].encoding, err)
		}
	})
	t.Run("a file is sent again from where it began", func(t *testing.T) {
		s, api := play(t, Config{}, answer(503, busy), ok)
		file := strings.NewReader("asset_id\n1")
		file.Seek(5, io.SeekStart)
		if _, err := api.ImportAssets(t.Context(), "b", file, true); err != nil {
			t.Fatal(err)
		}
		if s.asked[0].body != "_id\n1" || s.asked[1] != s.asked[0] || s.asked[0].path != "/v1/buildings/b/assets/import?dry_run=true" {
			t.Errorf("%+v", s.asked)
		}
	})
	t.Run("a stream is sent once", func(t *testing.T) {
		s, api := play(t, Config{}, answer(503, busy), ok)
		if _, err := api.ImportAssets(t.Context(), "b", io.MultiReader(strings.NewReader("asset_id")), false); StatusOf(err) != 503 || len(s.asked) != 1 {
			t.Errorf("asked %d times, %v", len(s.asked), err)
		}
	})
}

func TestListsAreWalkedToTheEnd(t *testing.T) {
	s, api := play(t, Config{}, answer(200, `{"data":[{"building_id":"a"},{"building_id":"b"}],"next_cursor":"c1"}`),
		answer(200, `{"data":[{"building_id":"c"}],"next_cursor":null}`), answer(400, busy))
	all, err := Collect(api.Buildings(t.Context(), "tower"))
	if err != nil || len(all) != 3 || all[2].ID != "c" {
		t.Errorf("%v, %v", all, err)
	}
	if s.asked[0].path != "/v1/buildings?limit=100&q=tower" || s.asked[1].path != "/v1/buildings?cursor=c1&limit=100&q=tower" {
		t.Errorf("%v", s.asked)
	}
	s.answers[2] = answer(400, strings.Replace(busy, "true", "false", 1))
	if all, err := Collect(api.Buildings(t.Context(), "")); StatusOf(err) != 400 || all != nil {
		t.Errorf("%v, %v", all, err)
	}
}

func TestNewRefusesWhatIsNoServer(t *testing.T) {
	for _, url := range []string{"", "localhost:8080", "ftp://x", "http://", "http://a b"} {
		if _, err := New(Config{BaseURL: url}); err == nil {
			t.Errorf("%q is taken for the URL of a server", url)
		}
	}
}
