package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

func newToken(hash string, user firemode.UserID, family string, expires int) firemode.RefreshToken {
	return firemode.RefreshToken{
		Hash: []byte(hash), Org: "o", User: user, Family: family, IssuedAt: day(0),
		ExpiresAt: day(expires),
	}
}

func createTokens(t testing.TB, s store.Database, tokens ...firemode.RefreshToken) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
		for _, r := range tokens {
			err = errors.Join(err, store.As[store.TokenWriter](tx).CreateRefreshToken(ctx, r))
		}
		return err
	})
}

func wantToken(t testing.TB, s store.Database, want firemode.RefreshToken) {
	t.Helper()
	equal(t, read(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.RefreshToken, error) {
		return store.As[store.TokenReader](tx).RefreshToken(ctx, want.Hash)
	}), want)
}

func tokenTests() []test { return slices.Concat(refreshTests(), revocationTests()) }

func refreshTests() []test {
	return []test{
		{"a token is found by its hash, and created once", func(t *testing.T, s store.Database) {
			r := newToken("\x00\xff", "u", "f", 30)
			createTokens(t, s, r)
			wantToken(t, s, r)
			refuse(t, s, firemode.CodeConflict, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.TokenWriter](tx).CreateRefreshToken(ctx, r)
			})
			_, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.RefreshToken, error) {
				return store.As[store.TokenReader](tx).RefreshToken(ctx, []byte("\x00"))
			})
			wantCode(t, err, firemode.CodeNotFound)
		}},
		{"using a token writes only its use", func(t *testing.T, s store.Database) {
			r, other := newToken("1", "u", "f", 30), newToken("2", "u", "f", 30)
			createTokens(t, s, r, other)
			r.UsedAt, r.RetryKey, r.RetryAnswer = day(3), awkward, []byte{0, 1}
			asked := r
			asked.Family, asked.Revoked = "not written", true
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.TokenWriter](tx).UseRefreshToken(ctx, asked)
			})
			wantToken(t, s, r)
			wantToken(t, s, other)
			asked.Hash = []byte("3")
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.TokenWriter](tx).UseRefreshToken(ctx, asked)
			})
		}},
		{"answers of exchanges before a moment are forgotten", func(t *testing.T, s store.Database) {
			early, late, unused := newToken("1", "u", "f", 30), newToken("2", "u", "f", 30), newToken("3", "u", "f", 30)
			createTokens(t, s, early, late, unused)
			early.UsedAt, early.RetryKey, early.RetryAnswer = day(1), "k1", []byte("a1")
			late.UsedAt, late.RetryKey, late.RetryAnswer = day(2), "k2", []byte("a2")
			forget := func(want int) {
				update(t, s, func(ctx context.Context, tx store.Tx) error {
					n, err := store.As[store.TokenWriter](tx).ForgetRetryAnswers(ctx, day(2))
					equal(t, n, want)
					return err
				})
			}
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return errors.Join(store.As[store.TokenWriter](tx).UseRefreshToken(ctx, early),
					store.As[store.TokenWriter](tx).UseRefreshToken(ctx, late))
			})
			forget(1)
			forget(0)
			early.RetryKey, early.RetryAnswer = "", nil
			for _, want := range []firemode.RefreshToken{early, late, unused} {
				wantToken(t, s, want)
			}
		}},
	}
}

func revocationTests() []test {
	return []test{
		{"a family or a user is revoked, and nobody else", func(t *testing.T, s store.Database) {
			a1, a2, b := newToken("1", "u", "a", 30), newToken("2", "u", "a", 30), newToken("3", "u", "b", 30)
			other, foreign := newToken("4", "v", "c", 30), newToken("5", "u", "d", 30)
			foreign.Org = "p"
			createTokens(t, s, a1, a2, b, other, foreign)
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.TokenWriter](tx).RevokeFamily(ctx, "a")
			})
			a1.Revoked, a2.Revoked = true, true
			for _, want := range []firemode.RefreshToken{a1, a2, b, other, foreign} {
				wantToken(t, s, want)
			}
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.TokenWriter](tx).RevokeUserTokens(ctx, "o", "u")
			})
			b.Revoked = true
			for _, want := range []firemode.RefreshToken{a1, a2, b, other, foreign} {
				wantToken(t, s, want)
			}
		}},
		{"revocations are numbered as they come", revocations},
		{"what expired before a moment is deleted", deleteExpired},
	}
}

func revocations(t *testing.T, s store.Database) {
	first := firemode.Revocation{Family: "f", ExpiresAt: day(10)}
	second := firemode.Revocation{Org: "o", User: "u", Generation: 7, ExpiresAt: day(12)}
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return errors.Join(store.As[store.TokenWriter](tx).CreateRevocation(ctx, first),
			store.As[store.TokenWriter](tx).CreateRevocation(ctx, second))
	})
	all := revocationsSince(t, s, 0, day(0))
	if len(all) != 2 || all[0].Seq < 1 || all[1].Seq <= all[0].Seq {
		t.Fatalf("got %v", all)
	}
	first.Seq, second.Seq = all[0].Seq, all[1].Seq
	equal(t, all, []firemode.Revocation{first, second})
	equal(t, revocationsSince(t, s, first.Seq, day(0)), []firemode.Revocation{second})
	equal(t, revocationsSince(t, s, second.Seq, day(0)), nil)
	equal(t, revocationsSince(t, s, 0, day(10)), []firemode.Revocation{second})
	// A number is never used twice, so that a node that has seen it misses none.
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		_, err := store.As[store.TokenWriter](tx).DeleteExpiredTokens(ctx, day(20))
		return errors.Join(err, store.As[store.TokenWriter](tx).CreateRevocation(ctx, firemode.Revocation{
			Family:    "g",
			ExpiresAt: day(30),
		}))
	})
	third := revocationsSince(t, s, second.Seq, day(0))
	if len(third) != 1 || third[0].Seq <= second.Seq {
		t.Fatalf("got %v after %d", third, second.Seq)
	}
}

func revocationsSince(t testing.TB, s store.Database, since int64, now time.Time) []firemode.Revocation {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Revocation, error) {
		return store.As[store.TokenReader](tx).RevocationsSince(ctx, since, now)
	})
}

func deleteExpired(t *testing.T, s store.Database) {
	kept := newToken("3", "u", "f", 11)
	createTokens(t, s, newToken("1", "u", "f", 9), newToken("2", "u", "f", 10), kept)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return errors.Join(store.As[store.TokenWriter](tx).CreateRevocation(ctx, firemode.Revocation{
			Family:    "f",
			ExpiresAt: day(9),
		}),
			store.As[store.TokenWriter](tx).CreateRevocation(ctx, firemode.Revocation{Family: "g", ExpiresAt: day(11)}))
	})
	for _, want := range []int{3, 0} {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			n, err := store.As[store.TokenWriter](tx).DeleteExpiredTokens(ctx, day(11))
			equal(t, n, want)
			return err
		})
	}
	wantToken(t, s, kept)
	equal(t, len(revocationsSince(t, s, 0, day(0))), 1)
}
