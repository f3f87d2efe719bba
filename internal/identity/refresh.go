package identity

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Refresh exchanges a refresh token for new tokens of the same family. The token is then used up: showing it again revokes
// the family, unless it is within RetryWindow and under the Idempotency-Key of the first exchange, which gives the first
// answer again. Every refusal is CodeUnauthenticated and tells an expired token from all others, no more.
func (s *Service) Refresh(ctx context.Context, token string) (Tokens, error) {
	var (
		t       Tokens
		refused error // an answer that leaves something behind: the transaction is committed
	)
	err := s.store.Update(ctx, func(tx store.Tx) (err error) {
		shown, err := s.lockRefreshToken(ctx, tx, token)
		if err != nil {
			return err
		}
		switch {
		case shown.Revoked:
			return badRefresh()
		case !s.now().Before(shown.ExpiresAt):
			return firemode.Unauthenticated("the refresh token has expired; log in again")
		case shown.UsedAt.IsZero():
			t, err = s.exchange(ctx, tx, shown)
			return err
		case s.isRetry(ctx, shown):
			t, err = s.openAnswer(shown)
			return err
		default:
			refused = badRefresh()
			return s.stopReuse(ctx, tx, shown)
		}
	})
	if err == nil {
		err = refused
	}
	return t, err
}

// lockRefreshToken finds the token and locks its organisation before its row, the order in which everybody does.
func (s *Service) lockRefreshToken(ctx context.Context, tx store.Tx, token string) (firemode.RefreshToken, error) {
	found, err := store.As[store.TokenReader](tx).RefreshToken(ctx, hashRefresh(token))
	if err == nil {
		err = lock(ctx, tx, found.Org)
	}
	if err == nil {
		found, err = store.As[store.TokenWriter](tx).LockRefreshToken(ctx, found.Hash)
	}
	if firemode.CodeOf(err) == firemode.CodeNotFound {
		return firemode.RefreshToken{}, badRefresh()
	}
	return found, err
}

// exchange uses up shown for the next tokens of its family.
func (s *Service) exchange(ctx context.Context, tx store.Tx, shown firemode.RefreshToken) (Tokens, error) {
	u, err := store.As[store.UserReader](tx).User(ctx, shown.Org, shown.User)
	if err != nil {
		return Tokens{}, err
	}
	if u.Disabled {
		return Tokens{}, badRefresh()
	}
	t, err := s.issue(ctx, tx, u, shown.Family)
	if err != nil {
		return Tokens{}, err
	}
	shown.UsedAt = s.now()
	if claim := store.IdempotencyFrom(ctx); claim != nil {
		shown.RetryKey = claim.Key
		if shown.RetryAnswer, err = s.sealAnswer(shown, t); err != nil {
			return Tokens{}, err
		}
	}
	return t, store.As[store.TokenWriter](tx).UseRefreshToken(ctx, shown)
}

// stopReuse voids a family of whose tokens there are two holders, since one of them is not the user.
func (s *Service) stopReuse(ctx context.Context, tx store.Tx, shown firemode.RefreshToken) error {
	if err := s.revokeFamily(ctx, tx, firemode.Revocation{Org: shown.Org, User: shown.User, Family: shown.Family}); err != nil {
		return err
	}
	return s.audit(ctx, tx, shown.Org, ledger.AuditEntry{Action: "refresh.reused", Subject: string(shown.User)})
}

func badRefresh() error {
	return firemode.Unauthenticated("the refresh token is not valid; log in again")
}
