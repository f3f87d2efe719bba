package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

var errTest = errors.New("the test's own error")

func transactionTests() []test {
	return slices.Concat(atomicTests(), endTests(), timeAndTextTests(), viewTests())
}

func atomicTests() []test {
	return []test{
		{"an error undoes everything and is returned as it is", func(t *testing.T, s store.Database) {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				if err := createOrg(t.Context(), tx, "a"); err != nil {
					return err
				}
				return errTest
			})
			if err != errTest { //nolint:errorlint // exactly that one
				t.Fatalf("got %v", err)
			}
			equal(t, orgs(t, s), nil)
		}},
		{"a panic is its caller's error alone", func(t *testing.T, s store.Database) {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				if err := createOrg(t.Context(), tx, "a"); err != nil {
					return err
				}
				panic("the test's own panic")
			})
			if err == nil || !strings.Contains(err.Error(), "the test's own panic") {
				t.Fatalf("got %v", err)
			}
			equal(t, firemode.CodeOf(err), firemode.CodeInternal)
			update(t, s, func(ctx context.Context, tx store.Tx) error { return createOrg(ctx, tx, "b") })
			equal(t, orgs(t, s), []firemode.OrgID{"b"})
		}},
		{"many at once, some of which fail or panic", manyAtOnce},
		{"a failure that its function ignores still undoes everything", func(t *testing.T, s store.Database) {
			update(t, s, func(ctx context.Context, tx store.Tx) error { return createOrg(ctx, tx, "a") })
			refuse(t, s, firemode.CodeConflict, func(ctx context.Context, tx store.Tx) error {
				if err := createOrg(ctx, tx, "b"); err != nil {
					return err
				}
				_ = createOrg(ctx, tx, "a")
				return nil
			})
			equal(t, orgs(t, s), []firemode.OrgID{"a"})
		}},
	}
}

func endTests() []test {
	return []test{
		{"it goes on to the end when the caller's context is cancelled", func(t *testing.T, s store.Database) {
			ctx, cancel := context.WithCancel(t.Context())
			err := s.Update(ctx, func(tx store.Tx) error {
				if err := createOrg(ctx, tx, "a"); err != nil {
					return err
				}
				cancel()
				if _, err := store.As[store.OrganisationReader](tx).Organisation(ctx, "a"); err != nil {
					return err
				}
				return createOrg(ctx, tx, "b")
			})
			equal(t, err, nil)
			equal(t, orgs(t, s), []firemode.OrgID{"a", "b"})
		}},
		{"it sees its own writes", func(t *testing.T, s store.Database) {
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				if err := createOrg(ctx, tx, "a"); err != nil {
					return err
				}
				o, err := store.As[store.OrganisationReader](tx).Organisation(ctx, "a")
				equal(t, o.ID, "a")
				return err
			})
		}},
		{"AfterCommit runs in order, once everything is there", func(t *testing.T, s store.Database) {
			var ran []string
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				for _, n := range []string{"first", "second", "third"} {
					tx.AfterCommit(func() { ran = append(ran, fmt.Sprint(n, " ", orgs(t, s))) }) //nolint:contextcheck // it has none
				}
				return createOrg(ctx, tx, "a")
			})
			equal(t, ran, []string{"first [a]", "second [a]", "third [a]"})
		}},
		{"AfterCommit does not run when there is none", func(t *testing.T, s store.Database) {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				tx.AfterCommit(func() { t.Error("ran") })
				return errTest
			})
			equal(t, errors.Is(err, errTest), true)
		}},
	}
}

func timeAndTextTests() []test {
	return []test{
		{"Now stands still, in UTC, to the microsecond", func(t *testing.T, s store.Database) {
			before := time.Now().Truncate(time.Microsecond)
			update(t, s, func(_ context.Context, tx store.Tx) error {
				now := tx.Now()
				equal(t, now.Location().String(), "UTC")
				equal(t, now.Truncate(time.Microsecond), now)
				equal(t, now.Before(before) || now.After(time.Now()), false)
				equal(t, tx.Now(), now)
				return nil
			})
		}},
		{"text that is not UTF-8, or holds NUL, is CodeInvalid", func(t *testing.T, s store.Database) {
			for _, bad := range []string{"a\x00b", "a\xffb"} {
				refuse(t, s, firemode.CodeInvalid, func(ctx context.Context, tx store.Tx) error {
					return store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx,
						firemode.Organisation{ID: "a", Name: bad})
				})
				_, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) (any, error) {
					return store.As[store.OrganisationReader](tx).Organisation(ctx, firemode.OrgID(bad))
				})
				wantCode(t, err, firemode.CodeInvalid)
			}
		}},
		{"Ping answers; after Close all is CodeUnavailable", func(t *testing.T, s store.Database) {
			equal(t, s.Ping(t.Context()), nil)
			equal(t, s.Close(), nil)
			wantCode(t, s.Update(t.Context(), func(store.Tx) error { return nil }), firemode.CodeUnavailable)
			wantCode(t, s.View(t.Context(), func(store.ReadTx) error { return nil }), firemode.CodeUnavailable)
			wantCode(t, s.Ping(t.Context()), firemode.CodeUnavailable)
			equal(t, s.Close(), nil)
		}},
	}
}

// manyAtOnce has Updates that succeed, fail after writing and panic after writing go into the same
// commits.
func manyAtOnce(t *testing.T, s store.Database) {
	const n = 210
	errs := make([]error, n)
	hooks := make([]int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			errs[i] = s.Update(t.Context(), func(tx store.Tx) error {
				tx.AfterCommit(func() { hooks[i]++ })
				if err := createOrg(t.Context(), tx, firemode.OrgID(name("org", i))); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return errTest
				case 2:
					panic(errTest)
				}
				return nil
			})
		})
	}
	all.Wait()
	var want []firemode.OrgID
	for i := range n {
		kept := i%3 == 0
		if kept {
			want = append(want, firemode.OrgID(name("org", i)))
		}
		if (errs[i] == nil) != kept || (hooks[i] == 1) != kept {
			t.Errorf("Update %d: error %v, %d hooks run", i, errs[i], hooks[i])
		}
	}
	equal(t, orgs(t, s), want)
}

func createOrg(ctx context.Context, tx store.Tx, id firemode.OrgID) error {
	return store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, firemode.Organisation{ID: id, Name: "Org " +
		string(id), CreatedAt: day(0)})
}

// orgs returns the ids of all organisations.
func orgs(t testing.TB, s store.Database) []firemode.OrgID {
	t.Helper()
	var ids []firemode.OrgID
	for _, o := range read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Organisation, error) {
		return store.As[store.OrganisationReader](tx).Organisations(ctx)
	}) {
		ids = append(ids, o.ID)
	}
	return ids
}
