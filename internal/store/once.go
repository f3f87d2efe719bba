package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"firemode"
)

// Idempotency is the claim of one request to be done once. httpapi puts it into the context, Once honours it.
type Idempotency struct {
	Scope       string
	Key         string
	Fingerprint []byte
	// Replayed is set by Once when the answer is a stored one.
	Replayed bool
}

type idempotencyKey struct{}

// WithIdempotency returns a context in which Once does its work at most once per (Scope, Key).
func WithIdempotency(ctx context.Context, i *Idempotency) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, i)
}

// IdempotencyFrom returns the claim that ctx carries, nil when there is none.
func IdempotencyFrom(ctx context.Context) *Idempotency {
	i, _ := ctx.Value(idempotencyKey{}).(*Idempotency)
	return i
}

// ErrKeyReused says that an Idempotency-Key was used before with another request.
func ErrKeyReused() *firemode.Error {
	return firemode.Conflict("this Idempotency-Key was used with another request; use a new key for a new request")
}

// Once runs fn in an Update and stores its result in the same transaction under the Idempotency-Key that ctx carries. If the
// key was used before with the same request, the stored result is returned and fn does not run; with another request it is
// CodeConflict. Without a key it is an Update with a result. T must survive encoding/json unchanged.
func Once[T any](ctx context.Context, s Store, fn func(Tx) (T, error)) (T, error) {
	claim := IdempotencyFrom(ctx)
	var result T
	run := func(tx Tx) error {
		if claim == nil {
			var err error
			result, err = fn(tx)
			return err
		}
		stored, err := As[ResponseReader](tx).Responses(ctx, []StoredResponse{{Scope: claim.Scope, Key: claim.Key}})
		if err != nil {
			return err
		}
		if len(stored) > 0 {
			return replay(claim, stored[0], &result)
		}
		if result, err = fn(tx); err != nil {
			return err
		}
		encoded, err := json.Marshal(result)
		if err != nil {
			return err
		}
		err = As[ResponseWriter](tx).SaveResponses(ctx, []StoredResponse{{Scope: claim.Scope, Key: claim.Key, Fingerprint: claim.Fingerprint, Result: encoded, CreatedAt: tx.Now()}})
		if firemode.CodeOf(err) == firemode.CodeConflict {
			return errLostRace
		}
		return err
	}
	err := s.Update(ctx, run)
	if errors.Is(err, errLostRace) {
		// Another node committed the same key between our look and our write: its answer is the answer.
		err = s.Update(ctx, run)
	}
	return result, err
}

var errLostRace = errors.New("the same Idempotency-Key was committed by another node")

func replay[T any](claim *Idempotency, stored StoredResponse, into *T) error {
	if !bytes.Equal(stored.Fingerprint, claim.Fingerprint) {
		return ErrKeyReused()
	}
	claim.Replayed = true
	return json.Unmarshal(stored.Result, into)
}
