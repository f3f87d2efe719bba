package storetest

import (
	"context"
	"errors"
	"testing"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func responseTests() []test {
	find := func(t *testing.T, s store.Database, keys ...store.StoredResponse) []store.StoredResponse {
		t.Helper()
		return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]store.StoredResponse, error) {
			return store.As[store.ResponseReader](tx).Responses(ctx, keys)
		})
	}
	save := func(responses ...store.StoredResponse) func(ctx context.Context, tx store.Tx) error {
		return func(ctx context.Context, tx store.Tx) error {
			return store.As[store.ResponseWriter](tx).SaveResponses(ctx, responses)
		}
	}
	return []test{
		{"a response is stored unchanged, once per scope and key", func(t *testing.T, s store.Database) {
			a := store.StoredResponse{
				Scope: "o " + awkward, Key: "k", Fingerprint: []byte{0, 255},
				Result: []byte(`{"x": 1 }`), CreatedAt: day(1),
			}
			b := store.StoredResponse{Scope: "p", Key: "k", CreatedAt: day(1)}
			update(t, s, save(a, b))
			refuse(t, s, firemode.CodeConflict, save(store.StoredResponse{Scope: "p", Key: "l"}, b))
			equal(t, find(t, s, store.StoredResponse{Scope: a.Scope, Key: "k"}), []store.StoredResponse{a})
			equal(t, find(t, s, store.StoredResponse{Scope: "p", Key: "l"}, store.StoredResponse{
				Scope: a.Scope,
				Key:   "K",
			}), nil)
			equal(t, len(find(t, s, a, b)), 2)
			equal(t, find(t, s), nil)
		}},
		{"the oldest responses are deleted first", func(t *testing.T, s store.Database) {
			var keys []store.StoredResponse
			for n := range 5 {
				keys = append(keys, store.StoredResponse{Scope: "s", Key: name("k", n), CreatedAt: day(n)})
			}
			update(t, s, save(keys[3], keys[1], keys[4], keys[0], keys[2]))
			for _, c := range []struct{ before, limit, want int }{{0, 9, 0}, {4, 2, 2}, {4, 9, 2}, {4, 9, 0}} {
				update(t, s, func(ctx context.Context, tx store.Tx) error {
					n, err := store.As[store.ResponseWriter](tx).DeleteResponses(ctx, day(c.before), c.limit)
					equal(t, n, c.want)
					return err
				})
				if c.limit == 2 {
					equal(t, len(find(t, s, keys[2], keys[3])), 2)
				}
			}
			equal(t, find(t, s, keys...), []store.StoredResponse{keys[4]})
		}},
		{"Once does its work once for many concurrent callers", once},
	}
}

func once(t *testing.T, s store.Database) {
	claim := func(fingerprint string) (context.Context, *store.Idempotency) {
		c := &store.Idempotency{Scope: "s", Key: "k", Fingerprint: []byte(fingerprint)}
		return store.WithIdempotency(t.Context(), c), c
	}
	work := func(ctx context.Context) (int64, error) {
		return store.Once(ctx, s, func(tx store.Tx) (int64, error) {
			seq, _, err := store.As[store.AuditWriter](tx).LockAudit(ctx, "o")
			return seq + 1, errors.Join(err, store.AppendAudit(ctx, tx, "o",
				ledger.AuditEntry{ID: firemode.AuditID(name("a", int(seq)))}))
		})
	}
	const callers = 12
	replayed := make(chan bool, callers)
	done := make(chan error, callers)
	for range callers {
		go func() {
			ctx, c := claim("f")
			n, err := work(ctx)
			if err == nil && n != 1 {
				err = errors.New("another result")
			}
			replayed <- c.Replayed
			done <- err
		}()
	}
	fresh := 0
	for range callers {
		equal(t, <-done, nil)
		if !<-replayed {
			fresh++
		}
	}
	equal(t, fresh, 1)
	equal(t, chainLength(t, s, "o"), 1)
	ctx, _ := claim("another request")
	_, err := work(ctx)
	wantCode(t, err, firemode.CodeConflict)
}
