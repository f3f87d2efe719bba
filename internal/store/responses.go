package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"firemode"
)

// StoredResponse is the response to a request with an Idempotency-Key: the result of the service,
// from which the same response is encoded again.
type StoredResponse struct {
	Scope       string // organisation, user, method and route with its parameters
	Key         string // the Idempotency-Key
	Fingerprint []byte // of the request
	Result      []byte
	CreatedAt   time.Time
}

// ResponseReader reads stored responses. Use FindResponses.
type ResponseReader interface {
	// Responses returns those that are stored under the (Scope, Key) of one of keys, in any order.
	Responses(ctx context.Context, keys []StoredResponse) ([]StoredResponse, error)
}

// ResponseWriter writes stored responses.
type ResponseWriter interface {
	// SaveResponses adds responses; CodeConflict if a (Scope, Key) is taken. Use Responses.Save.
	SaveResponses(ctx context.Context, responses []StoredResponse) error
	// DeleteResponses removes at most limit responses created before t, oldest first, and returns
	// how many.
	DeleteResponses(ctx context.Context, t time.Time, limit int) (int, error)
}

// Idempotency is the claim of a request to be done once: under (Scope, Key) only the first request
// does its work, and every later one gets the stored response of the first.
type Idempotency struct {
	Scope       string
	Key         string
	Fingerprint []byte
	// Same reports whether a stored fingerprint is that of the same request as Fingerprint; nil for
	// bytes.Equal.
	Same func(stored, fingerprint []byte) bool
	// Replayed is set when the response is a stored one.
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

// ErrKeyReused returns the error of a request whose Idempotency-Key was used before with another
// request.
func ErrKeyReused() *firemode.Error {
	return firemode.Conflict("this Idempotency-Key was used with another request; use a new key for a new request")
}

// Responses are the stored responses to a group of requests that share a transaction. The steps
// are: FindResponses; for each request Replay, and where nothing is stored the work and Add; Save,
// before the transaction ends. Run them in UpdateResponses, which handles a race with another node.
// It is not safe for concurrent use. A nil claim has no stored response, and none is added for it.
type Responses struct {
	byKey map[responseKey]StoredResponse
	added []StoredResponse
}

type responseKey struct{ scope, key string }

// FindResponses reads what is stored for claims.
func FindResponses(ctx context.Context, tx ReadTx, claims ...*Idempotency) (*Responses, error) {
	r := &Responses{byKey: map[responseKey]StoredResponse{}}
	keys := make([]StoredResponse, 0, len(claims))
	for _, c := range claims {
		if c != nil {
			keys = append(keys, StoredResponse{Scope: c.Scope, Key: c.Key})
		}
	}
	if len(keys) == 0 {
		return r, nil
	}
	stored, err := As[ResponseReader](tx).Responses(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, s := range stored {
		r.byKey[responseKey{s.Scope, s.Key}] = s
	}
	return r, nil
}

// Replay decodes the response that is stored or was added for claim into result, and sets
// claim.Replayed. found is false if there is none; then the request is to be done. ErrKeyReused if
// the response is that of another request.
func (r *Responses) Replay(claim *Idempotency, result any) (found bool, err error) {
	if claim == nil {
		return false, nil
	}
	stored, found := r.byKey[responseKey{claim.Scope, claim.Key}]
	if !found {
		return false, nil
	}
	same := claim.Same
	if same == nil {
		same = bytes.Equal
	}
	if !same(stored.Fingerprint, claim.Fingerprint) {
		return true, ErrKeyReused()
	}
	if err := json.Unmarshal(stored.Result, result); err != nil {
		return true, fmt.Errorf("stored response: %w", err)
	}
	claim.Replayed = true
	return true, nil
}

// Add encodes result as the response to claim, for Save. result must survive encoding/json
// unchanged.
func (r *Responses) Add(claim *Idempotency, result any, at time.Time) error {
	if claim == nil {
		return nil
	}
	encoded, err := json.Marshal(result)
	if err != nil {
		return err
	}
	r.AddEncoded(claim, encoded, at)
	return nil
}

// AddEncoded is Add for a result that is JSON already.
func (r *Responses) AddEncoded(claim *Idempotency, result []byte, at time.Time) {
	if claim == nil {
		return
	}
	s := StoredResponse{
		Scope: claim.Scope, Key: claim.Key, Fingerprint: claim.Fingerprint, Result: result,
		CreatedAt: at,
	}
	r.byKey[responseKey{s.Scope, s.Key}] = s
	r.added = append(r.added, s)
}

// Save writes the added responses. If another node has stored one under the same key since
// FindResponses, the error is one with which UpdateResponses runs its function again.
func (r *Responses) Save(ctx context.Context, tx Tx) error {
	if len(r.added) == 0 {
		return nil
	}
	return LostRace(As[ResponseWriter](tx).SaveResponses(ctx, r.added))
}

// LostRace returns err such that UpdateResponses and Once run their function once more, if err is
// CodeConflict; any other err as it is. Use it where a write can conflict with what another node
// has written since the function read it.
func LostRace(err error) error {
	if firemode.CodeOf(err) == firemode.CodeConflict {
		return fmt.Errorf("%w: %w", errLostRace, err)
	}
	return err
}

var errLostRace = errors.New("another node has written the same key")

// UpdateResponses is Update for a function that uses Responses. If Save lost a race, nothing was
// written, and fn runs once more in another Update: it then finds the response of the other node.
// fn must start over at each run.
func UpdateResponses(ctx context.Context, s Store, fn func(Tx) error) error {
	err := s.Update(ctx, fn)
	if errors.Is(err, errLostRace) {
		err = s.Update(ctx, fn)
	}
	return err
}

// Once runs fn in an Update and stores its result in the same transaction under the Idempotency-Key
// that ctx carries. If the key was used before with the same request, Once returns the stored
// result and fn does not run; with another request it returns ErrKeyReused. Without a key it is an
// Update with a result. T must survive encoding/json unchanged.
func Once[T any](ctx context.Context, s Store, fn func(Tx) (T, error)) (result T, err error) {
	claim := IdempotencyFrom(ctx)
	err = UpdateResponses(ctx, s, func(tx Tx) error {
		result = *new(T)
		responses, err := FindResponses(ctx, tx, claim)
		if err != nil {
			return err
		}
		if found, err := responses.Replay(claim, &result); found || err != nil {
			return err
		}
		if result, err = fn(tx); err != nil {
			return err
		}
		if err := responses.Add(claim, result, tx.Now()); err != nil {
			return err
		}
		return responses.Save(ctx, tx)
	})
	return result, err
}
