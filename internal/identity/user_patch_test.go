package identity

import (
	"testing"

	"firemode"
)

func TestUpdateUser_ChangedFields_RevokeTokensIfNeeded(t *testing.T) {
	t.Parallel()
	engineer, technician := firemode.RoleEngineer, firemode.RoleTechnician
	for name, tc := range map[string]struct {
		patch               Patch
		version, generation int64
		log                 string // "" for no entry
	}{
		"nothing":           {Patch{}, 1, 1, ""},
		"all as it is":      {Patch{FullName: ptr("tom"), Role: &technician, Disabled: ptr(false)}, 1, 1, ""},
		"full name":         {Patch{FullName: ptr("Tom")}, 2, 1, `{"full_name":"Tom"}`},
		"role":              {Patch{Role: &engineer}, 2, 2, `{"role":"engineer"}`},
		"disabled":          {Patch{Disabled: ptr(true)}, 2, 2, `{"disabled":true}`},
		"password":          {Patch{Password: ptr("battery staple")}, 2, 2, `{"password":"changed"}`},
		"the same password": {Patch{Password: ptr(password)}, 2, 2, `{"password":"changed"}`},
		"all": {
			Patch{FullName: ptr("Tom"), Role: &engineer, Disabled: ptr(true), Password: ptr("battery staple")},
			2, 2,
			`{"disabled":true,"full_name":"Tom","password":"changed","role":"engineer"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFixture(t)
			tokens := p.login(t, "tom@acme")
			before := p.actions(t, "acme")
			ctx := p.as(t, "ada@acme")
			got, err := p.UpdateUser(ctx, "u-tom", 1, tc.patch)
			if err != nil || got.Version != tc.version || got.Generation != tc.generation || got.PasswordHash != "" {
				t.Errorf("got %+v (%v), want version %d and generation %d", got, err, tc.version, tc.generation)
			}
			if read, err := p.User(ctx, "u-tom"); err != nil || describe(read) != describe(got) {
				t.Errorf("read %+v (%v), want %+v", read, err, got)
			}
			if tc.generation == 1 {
				accepted(t, p.Service, tokens.Access)
			} else {
				revoked(t, p.Service, tokens.Access)
			}
			after := p.actions(t, "acme")[len(before):]
			if tc.log == "" && len(after) != 0 ||
				tc.log != "" && (len(after) != 1 || after[0] != "u-ada user.update u-tom "+tc.log) {
				t.Errorf("the log got %q, want %q", after, tc.log)
			}
		})
	}
}

func TestUpdateUser_OtherVersion_IsRefused(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	ctx := p.as(t, "ada@acme")
	_, err := p.UpdateUser(ctx, "u-tom", 2, Patch{FullName: ptr("Tom")})
	refused(t, err, firemode.CodeChanged, "the user was changed meanwhile; read it again")
	if _, err := p.UpdateUser(ctx, "u-nobody", 0, Patch{}); firemode.CodeOf(err) != firemode.CodeNotFound {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestUpdateUser_LastAdministrator_IsKept(t *testing.T) {
	t.Parallel()
	const message = "this is the last enabled administrator; add another one first"
	p := newFixture(t)
	manager := firemode.RoleManager
	p.add(t, "acme", "amy", firemode.RoleAdmin)
	steps := []struct {
		name    string
		user    firemode.UserID
		patch   Patch
		refused bool
	}{
		{"one of two is disabled", "u-amy", Patch{Disabled: ptr(true)}, false},
		{"a disabled one does not count", "u-ada", Patch{Disabled: ptr(true)}, true},
		{"nor is the last one demoted", "u-ada", Patch{Role: &manager}, true},
		{"but may be renamed", "u-ada", Patch{FullName: ptr("Ada"), Role: ptr(firemode.RoleAdmin)}, false},
		{"and given a password", "u-ada", Patch{Password: ptr("battery staple")}, false},
		{"a disabled one may be demoted", "u-amy", Patch{Role: &manager}, false},
		{"a manager does not count", "u-amy", Patch{Disabled: ptr(false)}, false},
		{"so the last one still stays", "u-ada", Patch{Disabled: ptr(true)}, true},
		{"once there is another", "u-tom", Patch{Role: ptr(firemode.RoleAdmin)}, false},
		{"the first may go", "u-ada", Patch{Disabled: ptr(true)}, false},
	}
	for _, step := range steps {
		_, err := p.UpdateUser(AsOperator(t.Context(), "acme"), step.user, 0, step.patch)
		switch {
		case step.refused:
			refused(t, err, firemode.CodeConflict, message)
		case err != nil:
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

// However many administrators disable each other concurrently, one remains.
func TestUpdateUser_AdministratorsDisableEachOther_OneRemains(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, p *fixture) {
		ids := []firemode.UserID{"u-ada", "u-amy", "u-ann", "u-art"}
		for _, id := range ids[1:] {
			p.add(t, "acme", string(id[2:]), firemode.RoleAdmin)
		}
		errs := make([]error, len(ids))
		concurrently(len(ids), func(i int) {
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
