package client

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTokens_BeforeExpiry_Renewed(t *testing.T) {
	s, api, now := loggedIn(t)
	for _, c := range []struct {
		after     time.Duration
		exchanges int64
	}{{0, 0}, {14*time.Minute + 29*time.Second, 0}, {2 * time.Second, 1}, {14 * time.Minute, 1}, {time.Hour, 2}} {
		*now = now.Add(c.after)
		me(t, api)
		if n := s.exchanges.Load(); n != c.exchanges {
			t.Errorf("at %s: %d renewals, want %d", now, n, c.exchanges)
		}
	}
	if s.keys[0] == "" || s.keys[0] == s.keys[1] {
		t.Errorf("the keys of the renewals are %v", s.keys)
	}
}

func TestTokens_ManyRefusedCalls_OneRenewal(t *testing.T) {
	s, api, _ := loggedIn(t)
	s.revoke()
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() { me(t, api) })
	}
	group.Wait()
	if n := s.exchanges.Load(); n != 1 {
		t.Errorf("%d renewals", n)
	}
}

func TestTokens_LoginEnded_ErrorAndForgotten(t *testing.T) {
	s, api, _ := loggedIn(t)
	s.ended = true
	if _, err := api.Me(t.Context()); StatusOf(err) != http.StatusUnauthorized {
		t.Errorf("%v", err)
	}
	if api.Tokens() != (Tokens{}) {
		t.Errorf("the client keeps %+v", api.Tokens())
	}
}

func TestNew_TokensOfAnEarlierLogin_NoRenewal(t *testing.T) {
	s, api, now := loggedIn(t)
	again, err := New(Config{BaseURL: api.base, Tokens: api.Tokens(), Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	me(t, again)
	if n := s.exchanges.Load(); n != 0 {
		t.Errorf("%d renewals", n)
	}
}

// tokenServer accepts only the newest access token and counts the renewals.
type tokenServer struct {
	mu        sync.Mutex
	number    int
	exchanges atomic.Int64
	keys      []string
	ended     bool // the login
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := string(rune('a' + s.number))
	switch {
	case r.URL.Path == "/v1/auth/refresh" && !s.ended:
		s.number++
		s.exchanges.Add(1)
		s.keys = append(s.keys, r.Header.Get(headerKey))
		name = string(rune('a' + s.number))
		fallthrough
	case r.URL.Path == "/v1/auth/login":
		respond(200, fmt.Sprintf(`{"access_token":"%s","refresh_token":"r%[1]s","expires_in":900}`, name))(w, r)
	case r.Header.Get("Authorization") == "Bearer "+name && !s.ended:
		respond(200, `{"username":"jo"}`)(w, r)
	default:
		respond(401, strings.NewReplacer("503", "401", "true", "false").Replace(busy))(w, r)
	}
}

func (s *tokenServer) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
}

func loggedIn(t *testing.T) (*tokenServer, *Client, *time.Time) {
	t.Helper()
	s := &tokenServer{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	now := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	api, err := New(Config{BaseURL: server.URL, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if err := api.Login(t.Context(), "jo", "secret"); err != nil {
		t.Fatal(err)
	}
	return s, api, &now
}

func me(t *testing.T, api *Client) {
	t.Helper()
	if u, err := api.Me(t.Context()); err != nil || u.Username != "jo" {
		t.Fatalf("%+v, %v", u, err)
	}
}
