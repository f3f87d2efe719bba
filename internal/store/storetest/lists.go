package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"firemode"
	"firemode/internal/store"
)

// rows returns a page without its keys.
func rows[T any](page []store.Keyed[T], err error) ([]T, error) {
	list := make([]T, len(page))
	for i, k := range page {
		list[i] = k.Row
	}
	return list, err
}

// everything is the page that holds the whole list.
func everything() store.Page { return store.Page{Limit: 100_000} }

// walk reads a list page by page, calling between after each page, and returns it all.
func walk[T any](t testing.TB, s store.Database, limit int, between func(page int),
	list func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[T], error),
) []T {
	t.Helper()
	var whole []T
	p := store.Page{Limit: limit}
	for n := 0; ; n++ {
		page := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]store.Keyed[T], error) {
			return list(ctx, tx,
				p)
		})
		if len(page) > limit {
			t.Fatalf("page of %d rows, limit %d", len(page), limit)
		}
		for _, k := range page {
			whole = append(whole, k.Row)
			p.After = k.Key
		}
		if len(page) < limit {
			return whole
		}
		between(n)
	}
}

// listTest says how to add to a list and how to read it.
type listTest[T any] struct {
	// add adds row n; those with equal n/3 are equal in what the list is ordered by first.
	add  func(ctx context.Context, tx store.Tx, n int) error
	list func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[T], error)
	n    func(T) int // the number that the row was added as
	// newest is set for a list that begins with the greatest n.
	newest bool
	// anyKey is set for a list to which no key is malformed.
	anyKey bool
}

// stable walks the list while others write to it: everything that was there when the walk began
// must come exactly once, in order.
func (l listTest[T]) stable(t *testing.T, s store.Database) {
	t.Helper()
	var want []int
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for n := 300; n < 320; n++ {
			want = append(want, n)
			if err := l.add(ctx, tx, n); err != nil {
				return err
			}
		}
		return nil
	})
	if l.newest {
		slices.Reverse(want)
	}
	got := walk(t, s, 3, func(page int) {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return errors.Join(l.add(ctx, tx, 100+page), l.add(ctx, tx, 600+page))
		})
	}, l.list)
	var old []int
	for _, r := range got {
		if n := l.n(r); n >= 300 && n < 320 {
			old = append(old, n)
		}
	}
	equal(t, old, want)
	if !l.anyKey {
		l.malformed(t, s)
	}
}

// malformed asks for a page after a key that no list made.
func (l listTest[T]) malformed(t *testing.T, s store.Database) {
	t.Helper()
	for _, key := range []string{"x", "|", "|a", "01|a", "9223372036854775808|a", " 1|a", "1.5|a", "+1|a", "1 "} {
		_, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) ([]store.Keyed[T], error) {
			return l.list(ctx, tx, store.Page{After: key, Limit: 1})
		})
		wantCode(t, err, firemode.CodeMalformed)
	}
}
