package identity

import (
	"os"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
)

// What happens at the same moment is decided by locks, and those differ between the engines: these tests run on both.

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func onBothEngines(t *testing.T, test func(t *testing.T, p *place)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newPlaceOn(t, storetest.OpenSQLiteAt)) })
	t.Run("postgres", func(t *testing.T) { test(t, newPlaceOn(t, openPostgres)) })
}

// openPostgres leaves transactions to the machine's clock: nothing here depends on theirs.
func openPostgres(t testing.TB, _ func() time.Time) store.Database {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Two holders of one token at the same moment: exactly one is served, and what it was given is void by then.
func TestRefreshAtOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *place) {
		login := p.login(t, "tom@acme")
		var tokens [8]Tokens
		var errs [8]error
		together(len(tokens), func(i int) { tokens[i], errs[i] = p.Refresh(t.Context(), login.Refresh) })
		served := 0
		for i, err := range errs {
			if err == nil {
				served++
				isVoid(t, p.Service, tokens[i].Access)
				continue
			}
			refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
		}
		if served != 1 {
			t.Errorf("%d of %d were served, want 1", served, len(tokens))
		}
	})
}

// However many administrators disable each other at once, one is left.
func TestAdministratorsCannotAllDisableEachOther(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *place) {
		ids := []firemode.UserID{"u-ada", "u-amy", "u-ann", "u-art"}
		for _, id := range ids[1:] {
			p.add(t, "acme", string(id[2:]), firemode.RoleAdmin)
		}
		errs := make([]error, len(ids))
		together(len(ids), func(i int) {
			_, errs[i] = p.UpdateUser(AsOperator(t.Context(), "acme"), ids[i], 0, Patch{Disabled: ptr(true)})
		})
		conflicts := 0
		for _, err := range errs {
			if firemode.CodeOf(err) == firemode.CodeConflict {
				conflicts++
			} else if err != nil {
				t.Error(err)
			}
		}
		if conflicts != 1 {
			t.Errorf("%d were refused, want 1", conflicts)
		}
	})
}

// A login whose password was checked before a change and whose tokens would be given out after it gets none.
func TestLoginDuringAPasswordChange(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *place) {
		match := p.passwords.match
		p.passwords.match = func(given, hash string) (bool, error) {
			ok, err := match(given, hash)
			far := p.node(t)
			if _, updateErr := far.UpdateUser(AsOperator(t.Context(), "acme"), "u-tom", 0, Patch{Password: ptr("battery staple")}); updateErr != nil {
				t.Error(updateErr)
			}
			return ok, err
		}
		_, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: password})
		refused(t, err, firemode.CodeUnauthenticated, "username or password is wrong")
		err = p.ChangePassword(p.as(t, "tom@acme"), "battery staple", "horse correct")
		refused(t, err, firemode.CodeConflict, "the user was changed meanwhile; try again")
	})
}

// A refresh that meets a password change either sees it and is refused, or what it gives out is void with the rest.
func TestRefreshDuringAPasswordChange(t *testing.T) {
	onBothEngines(t, func(t *testing.T, p *place) {
		for round, now := range []string{"battery staple", "staple battery", "battery and staple", "staples, batteries"} {
			before := []string{password, "battery staple", "staple battery", "battery and staple"}[round]
			login, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: before})
			if err != nil {
				t.Fatal(err)
			}
			var next Tokens
			var refreshErr, changeErr error
			together(2, func(i int) {
				if i == 0 {
					next, refreshErr = p.Refresh(t.Context(), login.Refresh)
					return
				}
				_, changeErr = p.UpdateUser(AsOperator(t.Context(), "acme"), "u-tom", 0, Patch{Password: &now})
			})
			if changeErr != nil {
				t.Fatal(changeErr)
			}
			isVoid(t, p.Service, login.Access)
			if refreshErr != nil {
				refused(t, refreshErr, firemode.CodeUnauthenticated, badRefreshMessage)
				continue
			}
			isVoid(t, p.Service, next.Access)
			_, err = p.Refresh(t.Context(), next.Refresh)
			refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
		}
	})
}
