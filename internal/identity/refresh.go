package identity

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"firemode"
	"firemode/internal/store"
)

// Refresh exchanges a refresh token for new tokens of the same family, and uses the token up. A
// second use revokes the family, unless it comes within RetryWindow and under the Idempotency-Key
// of the first exchange: then Refresh returns the same tokens. Every refusal is
// CodeUnauthenticated; its message distinguishes an expired token, and nothing else.
func (s *Service) Refresh(ctx context.Context, token string) (Tokens, error) {
	var (
		t       Tokens
		refused error // a refusal whose transaction is committed
	)
	err := s.store.Update(ctx, func(tx store.Tx) (err error) {
		presented, err := s.lockRefreshToken(ctx, tx, token)
		if err != nil {
			return err
		}
		switch {
		case presented.Revoked:
			return errBadRefresh()
		case !s.now().Before(presented.ExpiresAt):
			return firemode.Unauthenticated("the refresh token has expired; log in again")
		case presented.UsedAt.IsZero():
			t, err = s.exchange(ctx, tx, presented)
			return err
		case s.isRetry(ctx, presented):
			t, err = s.openResponse(presented)
			return err
		default:
			refused = errBadRefresh()
			return s.stopReuse(ctx, tx, presented)
		}
	})
	if err == nil {
		err = refused
	}
	return t, err
}

// lockRefreshToken returns the token and locks its organisation before its row, the order that
// every transaction keeps.
func (s *Service) lockRefreshToken(ctx context.Context, tx store.Tx, token string) (firemode.RefreshToken, error) {
	found, err := store.As[store.TokenReader](tx).RefreshToken(ctx, hashRefresh(token))
	if err == nil {
		err = lock(ctx, tx, found.Org)
	}
	if err == nil {
		found, err = store.As[store.TokenWriter](tx).LockRefreshToken(ctx, found.Hash)
	}
	if firemode.CodeOf(err) == firemode.CodeNotFound {
		return firemode.RefreshToken{}, errBadRefresh()
	}
	return found, err
}

// exchange uses up presented and issues the next tokens of its family.
func (s *Service) exchange(ctx context.Context, tx store.Tx, presented firemode.RefreshToken) (Tokens, error) {
	u, err := store.As[store.UserReader](tx).User(ctx, presented.Org, presented.User)
	if err != nil {
		return Tokens{}, err
	}
	if u.Disabled {
		return Tokens{}, errBadRefresh()
	}
	t, err := s.issue(ctx, tx, u, presented.Family)
	if err != nil {
		return Tokens{}, err
	}
	presented.UsedAt = s.now()
	if claim := store.IdempotencyFrom(ctx); claim != nil {
		presented.RetryKey = claim.Key
		if presented.RetryAnswer, err = s.sealResponse(presented, t); err != nil {
			return Tokens{}, err
		}
	}
	return t, store.As[store.TokenWriter](tx).UseRefreshToken(ctx, presented)
}

// stopReuse revokes a family whose token was used twice: two parties hold it, and one of them is
// not the user.
func (s *Service) stopReuse(ctx context.Context, tx store.Tx, presented firemode.RefreshToken) error {
	revocation := firemode.Revocation{Org: presented.Org, User: presented.User, Family: presented.Family}
	if err := s.revokeFamily(ctx, tx, revocation); err != nil {
		return err
	}
	return s.audit(ctx, tx, firemode.Principal{Org: presented.Org}, store.Action{
		Name: "refresh.reused", Subject: string(presented.User),
	})
}

// isRetry reports whether ctx retries the exchange that used presented, and then marks its claim as
// replayed.
func (s *Service) isRetry(ctx context.Context, presented firemode.RefreshToken) bool {
	claim := store.IdempotencyFrom(ctx)
	if claim == nil || claim.Key != presented.RetryKey || len(presented.RetryAnswer) == 0 ||
		s.now().Sub(presented.UsedAt) > RetryWindow {
		return false
	}
	claim.Replayed = true
	return true
}

// retryResponse is the result of an exchange as it is stored, encrypted, for RetryWindow.
type retryResponse struct {
	Access    string        `json:"access"`
	Refresh   string        `json:"refresh"`
	ExpiresIn time.Duration `json:"expires_in"`
}

func (s *Service) sealResponse(used firemode.RefreshToken, t Tokens) ([]byte, error) {
	plain, err := json.Marshal(retryResponse(t))
	if err != nil {
		return nil, err
	}
	return s.keys.Responses().Seal(nil, nil, plain, associatedData(used)), nil
}

func (s *Service) openResponse(used firemode.RefreshToken) (Tokens, error) {
	plain, err := s.keys.Responses().Open(nil, nil, used.RetryAnswer, associatedData(used))
	if err != nil {
		return Tokens{}, err
	}
	var a retryResponse
	err = json.Unmarshal(plain, &a)
	return Tokens(a), err
}

// associatedData binds an encrypted response to its exchange, so that it does not decrypt in
// another row.
func associatedData(used firemode.RefreshToken) []byte {
	return slices.Concat([]byte("firemode refresh answer v1"), used.Hash, []byte(used.RetryKey))
}

func errBadRefresh() error {
	return firemode.Unauthenticated("the refresh token is not valid; log in again")
}
