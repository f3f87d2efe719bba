package identity

import (
	"testing"

	"firemode"
	"firemode/internal/store"
)

func TestUpdateUser(t *testing.T) {
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
			p := newPlace(t)
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
				isVoid(t, p.Service, tokens.Access)
			}
			after := p.actions(t, "acme")[len(before):]
			if tc.log == "" && len(after) != 0 || tc.log != "" && (len(after) != 1 || after[0] != "u-ada user.update u-tom "+tc.log) {
				t.Errorf("the log got %q, want %q", after, tc.log)
			}
		})
	}
}

func TestUpdateUserOfAnotherVersion(t *testing.T) {
	p := newPlace(t)
	ctx := p.as(t, "ada@acme")
	_, err := p.UpdateUser(ctx, "u-tom", 2, Patch{FullName: ptr("Tom")})
	refused(t, err, firemode.CodeChanged, "the user was changed meanwhile; read it again")
	if _, err := p.UpdateUser(ctx, "u-nobody", 0, Patch{}); firemode.CodeOf(err) != firemode.CodeNotFound {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	const message = "this is the last enabled administrator; make another one first"
	p := newPlace(t)
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

func TestChangePassword(t *testing.T) {
	p := newPlace(t)
	ctx := p.as(t, "tom@acme")
	tokens := p.login(t, "tom@acme")
	invalid(t, p.ChangePassword(ctx, password, "short"), "new_password")
	invalid(t, p.ChangePassword(ctx, "wrong horse", "battery staple"), "old_password")
	accepted(t, p.Service, tokens.Access)
	if err := p.ChangePassword(ctx, password, "battery staple"); err != nil {
		t.Fatal(err)
	}
	isVoid(t, p.Service, tokens.Access)
	_, err := p.Refresh(t.Context(), tokens.Refresh)
	refused(t, err, firemode.CodeUnauthenticated, badRefreshMessage)
	_, err = p.Login(t.Context(), Credentials{Username: "tom@acme", Password: password})
	refused(t, err, firemode.CodeUnauthenticated, "username or password is wrong")
	if _, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: "battery staple"}); err != nil {
		t.Error(err)
	}
	if log := p.actions(t, "acme"); log[len(log)-2] != `u-tom user.update u-tom {"password":"changed"}` {
		t.Errorf("the log says %q", log[len(log)-2])
	}
}

func TestChangePasswordIsThrottledLikeLogin(t *testing.T) {
	p := newPlace(t)
	ctx := p.as(t, "tom@acme")
	for range userFailures {
		invalid(t, p.ChangePassword(ctx, "wrong horse", "battery staple"), "old_password")
	}
	refused(t, p.ChangePassword(ctx, password, "battery staple"), firemode.CodeRateLimited, "too many failed attempts; try again later")
	_, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: password})
	refused(t, err, firemode.CodeRateLimited, "too many failed attempts; try again later")
}

func TestMyAudits(t *testing.T) {
	p := newPlace(t)
	p.login(t, "tom@acme")
	p.login(t, "ada@acme")
	if err := p.ChangePassword(p.as(t, "tom@acme"), password, "battery staple"); err != nil {
		t.Fatal(err)
	}
	list, err := p.MyAudits(p.as(t, "tom@acme"), store.Page{Limit: 10})
	if err != nil || len(list) != 2 || list[0].Row.Action != "user.update" || list[1].Row.Action != "login" {
		t.Errorf("own trail %+v (%v), want the change, then the login", list, err)
	}
	for _, one := range list {
		if one.Row.ID == "" || one.Row.User != "u-tom" {
			t.Errorf("entry %+v is not one of tom's", one.Row)
		}
	}
	if _, err := p.MyAudits(AsOperator(t.Context(), "acme"), store.Page{Limit: 10}); firemode.CodeOf(err) != firemode.CodeNotFound {
		t.Errorf("the operator's own trail: %v", err)
	}
}
