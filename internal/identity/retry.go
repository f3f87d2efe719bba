package identity

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"firemode"
	"firemode/internal/store"
)

// isRetry reports whether ctx repeats the exchange in which shown was used, and marks its claim as replayed.
func (s *Service) isRetry(ctx context.Context, shown firemode.RefreshToken) bool {
	claim := store.IdempotencyFrom(ctx)
	if claim == nil || claim.Key != shown.RetryKey || len(shown.RetryAnswer) == 0 || s.now().Sub(shown.UsedAt) > RetryWindow {
		return false
	}
	claim.Replayed = true
	return true
}

// retryAnswer is the answer of an exchange as it is kept, encrypted, for RetryWindow.
type retryAnswer struct {
	Access    string        `json:"access"`
	Refresh   string        `json:"refresh"`
	ExpiresIn time.Duration `json:"expires_in"`
}

func (s *Service) sealAnswer(used firemode.RefreshToken, t Tokens) ([]byte, error) {
	plain, err := json.Marshal(retryAnswer(t))
	if err != nil {
		return nil, err
	}
	return s.keys.Responses().Seal(nil, nil, plain, answerOf(used)), nil
}

func (s *Service) openAnswer(used firemode.RefreshToken) (Tokens, error) {
	plain, err := s.keys.Responses().Open(nil, nil, used.RetryAnswer, answerOf(used))
	if err != nil {
		return Tokens{}, err
	}
	var a retryAnswer
	err = json.Unmarshal(plain, &a)
	return Tokens(a), err
}

// answerOf binds an encrypted answer to the exchange it answers, so that it is worth nothing in another row.
func answerOf(used firemode.RefreshToken) []byte {
	return slices.Concat([]byte("firemode refresh answer v1"), used.Hash, []byte(used.RetryKey))
}
