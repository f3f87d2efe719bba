package storetest

import (
	"context"
	"errors"
	"testing"

	"firemode"
	"firemode/internal/store"
)

func viewTests() []test {
	return []test{
		{"a View is one snapshot", func(t *testing.T, s store.Database) {
			update(t, s, func(ctx context.Context, tx store.Tx) error { return createOrg(ctx, tx, "a") })
			err := s.View(t.Context(), func(tx store.ReadTx) error {
				first, err := store.As[store.OrganisationReader](tx).Organisations(t.Context())
				if err != nil {
					return err
				}
				update(t, s, func(ctx context.Context, tx store.Tx) error { return createOrg(ctx, tx, "b") })
				second, err := store.As[store.OrganisationReader](tx).Organisations(t.Context())
				equal(t, second, first)
				equal(t, len(second), 1)
				return err
			})
			equal(t, err, nil)
			equal(t, orgs(t, s), []firemode.OrgID{"a", "b"})
		}},
		{"a View returns the error of its function as it is", func(t *testing.T, s store.Database) {
			err := s.View(t.Context(), func(store.ReadTx) error { return errTest })
			if err != errTest { //nolint:errorlint // exactly that one
				t.Fatalf("got %v", err)
			}
		}},
		{"a View whose context is cancelled says so", func(t *testing.T, s store.Database) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := s.View(ctx, func(tx store.ReadTx) error {
				_, err := store.As[store.OrganisationReader](tx).Organisations(ctx)
				return err
			})
			equal(t, errors.Is(err, context.Canceled), true)
			equal(t, orgs(t, s), nil)
		}},
	}
}
