package identity

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"firemode"
)

// inMemory fails unless s has checked the token before.
func inMemory(t *testing.T, s *Service, token string) {
	t.Helper()
	if _, err := s.verify(token); err != nil {
		t.Fatal(err)
	}
	before := s.parsed.Len()
	if _, err := s.verify(token); err != nil || before == 0 || s.parsed.Len() != before {
		t.Fatalf("the token is not remembered: %v", err)
	}
}

// A token whose signature is remembered is refused like any other: nothing but the signature is taken from memory.
func TestMemoryLetsNobodyIn(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context, p *place, c Claims) error{
		"logged out": func(ctx context.Context, p *place, c Claims) error { return p.Logout(ctx, c) },
		"disabled": func(ctx context.Context, p *place, _ Claims) error {
			_, err := p.DisableUser(ctx, "tom@acme")
			return err
		},
		"of another role": func(ctx context.Context, p *place, c Claims) error {
			_, err := p.UpdateUser(AsOperator(ctx, "acme"), c.User, 0, Patch{Role: ptr(firemode.RoleEngineer)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			far := p.node(t)
			token := p.login(t, "tom@acme").Access
			for _, s := range []*Service{p.Service, far} {
				inMemory(t, s, token)
			}
			_, c, err := p.Authenticate(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if err := end(t.Context(), p, c); err != nil {
				t.Fatal(err)
			}
			isVoid(t, p.Service, token)
			if err := far.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			isVoid(t, far, token)
		})
	}
	t.Run("expired", func(t *testing.T) {
		p := newPlace(t)
		token := p.login(t, "tom@acme").Access
		inMemory(t, p.Service, token)
		p.clock.advance(AccessLifetime)
		_, _, err := p.Authenticate(t.Context(), token)
		refused(t, err, firemode.CodeUnauthenticated, "the access token has expired; refresh it")
	})
	t.Run("altered", func(t *testing.T) {
		p := newPlace(t)
		token := p.login(t, "tom@acme").Access
		inMemory(t, p.Service, token)
		for i := range token {
			if token[i] != '.' && i%7 == 0 {
				isVoid(t, p.Service, token[:i]+flipped(token[i])+token[i+1:])
			}
		}
	})
}

// flipped is another letter of the alphabet of tokens, one whose bits all count at the end of a part too.
func flipped(c byte) string {
	if c == 'A' {
		return "w"
	}
	return "A"
}

// What is remembered is bounded, however many tokens are shown, and forged ones take no room at all.
func TestMemoryOfTokensIsBounded(t *testing.T) {
	p := newPlace(t)
	for i := range parsedTokens {
		p.parsed.Add(sha256.Sum256([]byte(fmt.Sprint(i))), Claims{})
	}
	inMemory(t, p.Service, p.login(t, "tom@acme").Access)
	if got := p.parsed.Len(); got != parsedTokens {
		t.Errorf("%d tokens are remembered, want %d", got, parsedTokens)
	}
	p.parsed.Purge()
	for i := range 100 {
		isVoid(t, p.Service, fmt.Sprint("forged.", i, ".token"))
	}
	if got := p.parsed.Len(); got != 0 {
		t.Errorf("%d forged tokens are remembered", got)
	}
}

// A depot behind one address logs in as often as it likes; failures from there are counted, before and between and after.
func TestThousandLoginsOfOneAddressAreNotThrottled(t *testing.T) {
	p := newPlace(t)
	const remote = "192.0.2.7:4431"
	try := func(password string) error {
		_, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: password, Remote: remote})
		return err
	}
	for i := range 1000 {
		if err := try(password); err != nil {
			t.Fatalf("login %d: %v", i+1, err)
		}
		if i%250 == 0 { // fewer than a user may have
			refused(t, try("a wrong guess"), firemode.CodeUnauthenticated, "username or password is wrong")
		}
	}
	for range userFailures - 4 {
		refused(t, try("a wrong guess"), firemode.CodeUnauthenticated, "username or password is wrong")
	}
	if err := try(password); firemode.CodeOf(err) != firemode.CodeRateLimited {
		t.Errorf("after %d failures: %v, want CodeRateLimited", userFailures, err)
	}
	p.clock.advance(5 * time.Minute)
	if err := try(password); err != nil {
		t.Errorf("after the window: %v", err)
	}
}
