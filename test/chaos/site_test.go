package chaos

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"firemode"
	"firemode/client"
	"firemode/internal/store"
)

const (
	org      = firemode.OrgID("acme")
	session  = firemode.SessionID("visit")
	password = "correct-horse-battery"
	people   = 4  // technicians
	assets   = 12 // of the building, extinguishers all
	rule     = "AS1851-2012-FE-01"
	low      = "pressure_low"
)

// site is a server with one visit to be made, and what its clients see of it.
type site struct {
	*node
	traffic *traffic
	admin   *client.Client
	techs   []*client.Client
	open    func(*testing.T) store.Database // the database behind the server

	sessions []firemode.SessionID // in which clients work
}

// newSite sets an organisation up in an empty database. The server runs.
func newSite(t *testing.T, n *node, open func(*testing.T) store.Database) *site {
	t.Helper()
	s := &site{node: n, traffic: newTraffic(nil), open: open, sessions: []firemode.SessionID{session}}
	n.command(t, "", "org", "add", string(org), "Acme Fire Services")
	n.command(t, password+"\n", "user", "add", "--org", string(org), "--role", "admin", "admin@acme")
	check(t, n.start())
	s.admin = s.login(t, "admin@acme", s.traffic)
	for i := range people {
		name := fmt.Sprintf("tech%d@acme", i)
		_, err := s.admin.CreateUser(t.Context(),
			client.NewUser{Username: name, Role: firemode.RoleTechnician, Password: password})
		check(t, err)
		s.techs = append(s.techs, s.login(t, name, s.traffic))
	}
	b, err := s.admin.CreateBuilding(t.Context(), client.NewBuilding{ID: "tower", Name: "Tower", Address: "1 Quay St"})
	check(t, err)
	for i := range assets {
		_, err := s.admin.CreateAsset(t.Context(), b.ID,
			client.NewAsset{ID: assetID(i), Type: "extinguisher_powder", Level: "G", Location: "Lobby"})
		check(t, err)
	}
	_, err = s.admin.CreateSession(t.Context(),
		client.NewSession{ID: session, Building: b.ID, Name: "Yearly", Frequency: firemode.Yearly})
	check(t, err)
	return s
}

func assetID(i int) firemode.AssetID { return firemode.AssetID(fmt.Sprintf("FE-%03d", i)) }

// login returns a client that goes on trying for as long as its context lets it.
func (s *site) login(t *testing.T, name string, through http.RoundTripper) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{
		BaseURL: s.url(), HTTP: &http.Client{Transport: through, Timeout: patience},
		Attempts: 1 << 30, Sleep: shortly,
	})
	check(t, err)
	check(t, c.Login(t.Context(), name, password))
	return c
}

// shortly waits less than a phone would, since a test has more outages in a minute than a phone in
// a year.
func shortly(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(min(d, 20*time.Millisecond)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// verify has the program itself check the database.
func (s *site) verify(t *testing.T) {
	t.Helper()
	s.command(t, "", "verify")
}

// traffic passes requests on and counts what became of them.
type traffic struct {
	next http.RoundTripper

	mu       sync.Mutex
	statuses map[int]int // 0 for lost connections
	faults   []string    // of answers that are our fault
}

func newTraffic(next http.RoundTripper) *traffic {
	if next == nil {
		next = &http.Transport{MaxIdleConnsPerHost: 100}
	}
	return &traffic{next: next, statuses: map[int]int{}}
}

// RoundTrip is part of http.RoundTripper.
func (tr *traffic) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := tr.next.RoundTrip(r)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if err != nil {
		tr.statuses[0]++
		return nil, err
	}
	tr.statuses[answer.StatusCode]++
	if answer.StatusCode == http.StatusInternalServerError {
		tr.faults = append(tr.faults, r.Method+" "+r.URL.Path+" request "+answer.Header.Get("X-Request-ID"))
	}
	return answer, nil
}

// take returns the counts since the last call.
func (tr *traffic) take() map[int]int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	counts := tr.statuses
	tr.statuses = map[int]int{}
	return counts
}

// awaitTrouble returns when a request has been answered with "try again".
func (tr *traffic) awaitTrouble(t *testing.T) {
	t.Helper()
	count := func() int {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		return tr.statuses[http.StatusServiceUnavailable]
	}
	from := count()
	for until := time.Now().Add(patience); count() == from; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("no request has failed, though the disk does")
		}
	}
}

// clean fails the test if an answer was one that this harm does not explain: what fails is
// retryable and says so.
func (tr *traffic) clean(t *testing.T, counts map[int]int) {
	t.Helper()
	for status, n := range counts {
		switch status {
		case 0, http.StatusOK, http.StatusCreated, http.StatusServiceUnavailable:
		case http.StatusConflict: // the same key is still running: a lost request is repeated at once
		default:
			t.Errorf("%d answers with status %d", n, status)
		}
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(tr.faults) > 0 {
		t.Errorf("internal errors: %s", strings.Join(tr.faults[:min(5, len(tr.faults))], "; "))
	}
	tr.faults = nil
}
