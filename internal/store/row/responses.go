package row

import (
	"cmp"
	"context"
	"slices"

	"firemode/internal/store"
)

// ResponseColumns are those of table answers.
const ResponseColumns = "scope, idempotency_key, fingerprint, result, created_at"

// ResponseTaken says what SaveResponses found taken.
var ResponseTaken = Taken{Primary: "this Idempotency-Key was used meanwhile"}

// ResponseValues are in the order of ResponseColumns.
func ResponseValues(a store.StoredResponse) []any {
	return []any{a.Scope, a.Key, blob(a.Fingerprint), blob(a.Result), store.Micros(a.CreatedAt)}
}

// ScanResponse reads ResponseColumns.
func ScanResponse(r Scanner) (a store.StoredResponse, err error) {
	err = scan(r, "answers", &a.Scope, &a.Key, &a.Fingerprint, &a.Result, store.TimeColumn{Into: &a.CreatedAt})
	return a, err
}

// SaveResponses implements store.ResponseWriter. It inserts in one order, so that two transactions
// with the same keys cannot wait for each other.
func (w Writer) SaveResponses(ctx context.Context, responses []store.StoredResponse) error {
	ordered := slices.SortedFunc(slices.Values(responses), func(a, b store.StoredResponse) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Key, b.Key))
	})
	_, err := WriteAll(ctx, w.sql, ResponseTaken, InsertInto("answers", ResponseColumns), ordered,
		func(a store.StoredResponse) ([]any, error) { return ResponseValues(a), nil })
	return err
}
