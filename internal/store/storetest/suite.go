package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"firemode"
	"firemode/internal/store"
)

// test is one promise of the port, tried on a new store.
type test struct {
	name string
	run  func(t *testing.T, s store.Store)
}

// Run tries every promise of package store on the engine that open opens: each call a new, migrated store.
func Run(t *testing.T, open func(t testing.TB) store.Store) {
	for _, noun := range []struct {
		name  string
		tests []test
	}{
		{"transactions", transactionTests()},
		{"locks", lockTests()},
		{"organisations", organisationTests()},
		{"users", userTests()},
		{"tokens", tokenTests()},
		{"rules", ruleTests()},
		{"buildings", buildingTests()},
		{"assets", assetTests()},
		{"sessions", sessionTests()},
		{"items", itemTests()},
		{"defects", defectTests()},
		{"audit", auditTests()},
		{"answers", answerTests()},
		{"isolation", isolationTests()},
	} {
		t.Run(noun.name, func(t *testing.T) {
			t.Parallel()
			for _, test := range noun.tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.run(t, open(t))
				})
			}
		})
	}
}

// update runs fn, which must succeed.
func update(t testing.TB, s store.Store, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// refuse runs fn, which must fail with code.
func refuse(t testing.TB, s store.Store, code firemode.Code, fn func(ctx context.Context, tx store.Tx) error) error {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error { return fn(t.Context(), tx) })
	wantCode(t, err, code)
	return err
}

// wantCode wants an error with code and a message that tells something.
func wantCode(t testing.TB, err error, code firemode.Code) {
	t.Helper()
	var e *firemode.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error with code %d", err, code)
	}
	if e.Code != code || e.Message == "" {
		t.Fatalf("got code %d, message %q (%v), want code %d", e.Code, e.Message, err, code)
	}
}

// wantMessage wants the words that a user sees.
func wantMessage(t testing.TB, err error, message string) {
	t.Helper()
	var e *firemode.Error
	if !errors.As(err, &e) || e.Message != message {
		t.Fatalf("got %v, want the message %q", err, message)
	}
}

// read returns what fn reads in a View.
func read[T any](t testing.TB, s store.Store, fn func(ctx context.Context, tx store.ReadTx) (T, error)) T {
	t.Helper()
	v, err := tryRead(t, s, fn)
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	return v
}

func tryRead[T any](t testing.TB, s store.Store, fn func(ctx context.Context, tx store.ReadTx) (T, error)) (v T, err error) {
	t.Helper()
	err = s.View(t.Context(), func(tx store.ReadTx) error {
		v, err = fn(t.Context(), tx)
		return err
	})
	return v, err
}

// equal wants got to be exactly want: a nil slice is not an empty one.
func equal[T any](t testing.TB, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

// rows returns a page without its keys.
func rows[T any](page []store.Keyed[T], err error) ([]T, error) {
	list := make([]T, len(page))
	for i, k := range page {
		list[i] = k.Row
	}
	return list, err
}

// all is the page that holds everything.
func everything() store.Page { return store.Page{Limit: 100_000} }

// walk reads a list page by page, calling between after each page, and returns it all.
func walk[T any](t testing.TB, s store.Store, limit int, between func(page int),
	list func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[T], error),
) []T {
	t.Helper()
	var whole []T
	p := store.Page{Limit: limit}
	for n := 0; ; n++ {
		page := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]store.Keyed[T], error) { return list(ctx, tx, p) })
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

// stable walks the list while others write to it: everything that was there when the walk began must come exactly once, in order.
func (l listTest[T]) stable(t *testing.T, s store.Store) {
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
func (l listTest[T]) malformed(t *testing.T, s store.Store) {
	t.Helper()
	for _, key := range []string{"x", "|", "|a", "01|a", "9223372036854775808|a", " 1|a", "1.5|a", "+1|a", "1 "} {
		_, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) ([]store.Keyed[T], error) {
			return l.list(ctx, tx, store.Page{After: key, Limit: 1})
		})
		wantCode(t, err, firemode.CodeMalformed)
	}
}

// day returns a moment of day n with microseconds.
func day(n int) time.Time { return time.Date(2026, 1, 1+n, 9, 30, 15, 123_456_000, time.UTC) }

// name returns an id that sorts as n does.
func name(prefix string, n int) string { return fmt.Sprintf("%s-%04d", prefix, n) }

// awkward is text that a careless statement trips over.
const awkward = `O'Brien "Tower" 100%_\ ; -- Straße ÅÉ 日本語 🔥 {"a":[1]}` + "\n\ttab"
