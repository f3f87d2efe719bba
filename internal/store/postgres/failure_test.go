package postgres_test

import (
	"context"
	"errors"
	neturl "net/url"
	"slices"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest/pgtest"
)

// terminate ends every other connection to the database, as a restart of the server does.
func terminate(t *testing.T, url string) {
	t.Helper()
	exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "+
		"AND pid <> pg_backend_pid()")
}

func createOrg(ctx context.Context, tx store.Tx, id firemode.OrgID) error {
	return store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, firemode.Organisation{ID: id, Name: "O"})
}

func TestConnectionLostBeforeCommitUndoesTheUpdate(t *testing.T) {
	url := pgtest.New(t)
	s := open(t, url)
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := createOrg(t.Context(), tx, "a"); err != nil {
			return err
		}
		terminate(t, url)
		return createOrg(t.Context(), tx, "b")
	})
	if firemode.CodeOf(err) != firemode.CodeUnavailable || errors.Is(err, store.ErrOutcomeUnknown) {
		t.Fatalf("got %v", err)
	}
	wantOrgs(t, s)
}

func TestConnectionLostAtCommitIsUnknown(t *testing.T) {
	url := pgtest.New(t)
	s := open(t, url)
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := createOrg(t.Context(), tx, "a"); err != nil {
			return err
		}
		tx.AfterCommit(func() { t.Error("AfterCommit ran") })
		terminate(t, url)
		return nil
	})
	if firemode.CodeOf(err) != firemode.CodeUnavailable || !errors.Is(err, store.ErrOutcomeUnknown) {
		t.Fatalf("got %v", err)
	}
	wantOrgs(t, s)
}

// wantOrgs also shows that the store has connected again.
func wantOrgs(t *testing.T, s store.Database, want ...firemode.OrgID) {
	t.Helper()
	var got []firemode.OrgID
	err := s.View(t.Context(), func(tx store.ReadTx) error {
		list, err := store.As[store.OrganisationReader](tx).Organisations(t.Context())
		for _, o := range list {
			got = append(got, o.ID)
		}
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("got %v (%v), want %v", got, err, want)
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	_, err := postgres.Open(t.Context(), postgres.Config{URL: "postgres://firemode:secret@/x?host=" + t.TempDir()})
	if firemode.CodeOf(err) != firemode.CodeUnavailable {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the password is in the message: %v", err)
	}
}

func TestDatabaseInAnotherEncodingIsRefused(t *testing.T) {
	url := pgtest.Empty(t)
	exec(t, url, "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE "+
		"template0")
	latin, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	latin.Path = "/latin"
	_, err = postgres.Open(t.Context(), postgres.Config{URL: latin.String()})
	if err == nil || !strings.Contains(err.Error(), "encoded in LATIN1") {
		t.Fatalf("got %v", err)
	}
	exec(t, url, "DROP DATABASE latin WITH (FORCE)")
}

func TestNameThatIsTooLongForAnIndexIsInvalid(t *testing.T) {
	s := open(t, pgtest.New(t))
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := createOrg(t.Context(), tx, "o"); err != nil {
			return err
		}
		var name strings.Builder // that does not compress
		for r := rune(0x4e00); r < 0x4e00+5000; r++ {
			name.WriteRune(r)
		}
		return store.As[store.UserWriter](tx).CreateUser(t.Context(), firemode.User{
			Org: "o", ID: "u",
			Username: name.String(),
		})
	})
	if firemode.CodeOf(err) != firemode.CodeInvalid {
		t.Fatalf("got %v", err)
	}
}
