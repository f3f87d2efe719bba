package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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
	run  func(t *testing.T, s store.Database)
}

// Run tries every promise of package store on the engine that open opens: each call a new, migrated
// store.
func Run(t *testing.T, open func(t testing.TB) store.Database) {
	for _, noun := range []struct {
		name  string
		tests []test
	}{
		{"transactions", transactionTests()},
		{"ports", portTests()},
		{"locks", lockTests()},
		{"watching", watchTests()},
		{"organisations", organisationTests()},
		{"users", userTests()},
		{"tokens", tokenTests()},
		{"rules", ruleTests()},
		{"buildings", buildingTests()},
		{"assets", assetTests()},
		{"sessions", sessionTests()},
		{"items", itemTests()},
		{"defects", defectTests()},
		{"results", slices.Concat(resultTests(), actorTests(), operationTests())},
		{"audit", auditTests()},
		{"responses", responseTests()},
		{"isolation", isolationTests()},
		{"observed", observedTests()},
		{"orphans", orphanTests()},
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
func update(t testing.TB, s store.Database, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// refuse runs fn, which must fail with code.
func refuse(t testing.TB, s store.Database, code firemode.Code, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	wantCode(t, s.Update(t.Context(), func(tx store.Tx) error { return fn(t.Context(), tx) }), code)
}

// taken runs fn, which must fail with CodeConflict and these words.
func taken(t testing.TB, s store.Database, message string, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	err := s.Update(t.Context(), func(tx store.Tx) error { return fn(t.Context(), tx) })
	wantCode(t, err, firemode.CodeConflict)
	var e *firemode.Error
	if errors.As(err, &e) && e.Message != message {
		t.Fatalf("got the message %q, want %q", e.Message, message)
	}
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

// read returns what fn reads in a View.
func read[T any](t testing.TB, s store.Database, fn func(ctx context.Context, tx store.ReadTx) (T, error)) T {
	t.Helper()
	v, err := tryRead(t, s, fn)
	if err != nil {
		t.Fatalf("View: %v", err)
	}
	return v
}

func tryRead[T any](t testing.TB, s store.Database, fn func(ctx context.Context, tx store.ReadTx) (T, error)) (v T,
	err error,
) {
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
	if reflect.DeepEqual(got, want) {
		return // cmp takes long values byte by byte
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

// day returns a moment of day n with microseconds.
func day(n int) time.Time { return time.Date(2026, 1, 1+n, 9, 30, 15, 123_456_000, time.UTC) }

// name returns an id that sorts as n does.
func name(prefix string, n int) string { return fmt.Sprintf("%s-%04d", prefix, n) }

// awkward is text that a careless statement trips over.
const awkward = `O'Brien "Tower" 100%_\ ; -- Straße ÅÉ 日本語 🔥 {"a":[1]}` + "\n\ttab"
