package identity

import (
	"context"
	"errors"
	"testing"

	"github.com/alexedwards/argon2id"

	"firemode"
)

func TestNewPasswords_NoParams_ProductionCost(t *testing.T) {
	t.Parallel()
	want := argon2id.Params{Memory: 19456, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	if got := newPasswords(argon2id.Params{}).params; got != want {
		t.Errorf("params %+v, want %+v", got, want)
	}
}

func TestCheckPassword_ContextEndsBeforeSlot_IsUnavailable(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	for range maxHashes {
		release, err := p.passwords.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer release()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.checkPassword(ctx, attempt{username: "nobody"}, password, p.passwords.decoy)
	refused(t, err, firemode.CodeUnavailable, "too many concurrent logins; try again")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v does not tell the cause", err)
	}
}
