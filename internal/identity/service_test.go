package identity

import (
	"fmt"
	"testing"
	"time"

	"firemode"
)

func TestJanitor_Expired_IsDeleted(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	old := p.login(t, "tom@acme")
	p.clock.advance(RefreshLifetime)
	p.login(t, "tom@acme")
	if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
		t.Fatal(err)
	}
	p.clock.advance(time.Second)
	for _, want := range []int{1, 0} { // the first refresh token
		if n, err := p.Janitor(t.Context(), p.clock.now()); err != nil || n != want {
			t.Errorf("janitor removed %d (%v), want %d", n, err, want)
		}
	}
	_, err := p.Refresh(t.Context(), old.Refresh)
	refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
	p.clock.advance(AccessLifetime + clockSkew)
	if n, err := p.Janitor(t.Context(), p.clock.now()); err != nil || n != 1 { // the revocation
		t.Errorf("janitor removed %d (%v), want 1", n, err)
	}
}

func TestNew_MissingConfig_NamesAll(t *testing.T) {
	t.Parallel()
	_, err := New(nil, Config{})
	want := "identity: the store is missing\nidentity: Now is missing\n" +
		"identity: NewID is missing\nidentity: Keys are missing"
	if fmt.Sprint(err) != want {
		t.Errorf("error %q, want %q", err, want)
	}
}
