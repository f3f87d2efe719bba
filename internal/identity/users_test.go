package identity

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/store"
)

func uma() NewUser {
	return NewUser{ID: "u-uma", Username: "Uma@acme", FullName: "Uma Ünal", Role: firemode.RoleEngineer, Password: password}
}

func TestCreateUser(t *testing.T) {
	p := newPlace(t)
	ctx := p.as(t, "ada@acme")
	made, err := p.CreateUser(ctx, uma())
	if err != nil {
		t.Fatal(err)
	}
	want := firemode.User{
		Org: "acme", ID: "u-uma", Username: "Uma@acme", FullName: "Uma Ünal", Role: firemode.RoleEngineer,
		Generation: 1, Version: 1, CreatedAt: made.CreatedAt,
	}
	same := func(got firemode.User) bool {
		return got.Creation == nil && got.CreatedAt.Equal(want.CreatedAt) && describe(got) == describe(want)
	}
	if !same(made) || made.CreatedAt.IsZero() {
		t.Errorf("made %+v, want %+v", made, want)
	}
	if read, err := p.User(ctx, "u-uma"); err != nil || !same(read) {
		t.Errorf("read %+v (%v), want %+v", read, err, want)
	}
	if again, err := p.CreateUser(ctx, uma()); err != nil || !same(again) {
		t.Errorf("asked for again %+v (%v), want %+v", again, err, want)
	}
	p.login(t, "uma@acme")
	log := p.actions(t, "acme")
	created := `u-ada user.create u-uma {"full_name":"Uma Ünal","role":"engineer","username":"Uma@acme"}`
	if got := log[len(log)-2]; got != created {
		t.Errorf("the log says %q, want %q", got, created)
	}
}

// describe is all of u that a caller sees but the time.
func describe(u firemode.User) string {
	return strings.Join([]string{
		string(u.Org), string(u.ID), u.Username, u.FullName, string(u.Role), u.PasswordHash,
		map[bool]string{true: "disabled", false: "enabled"}[u.Disabled], string(rune('0' + u.Generation)), string(rune('0' + u.Version)),
	}, "|")
}

func TestCreateUserConflicts(t *testing.T) {
	for name, change := range map[string]func(*NewUser){
		"another name":                 func(n *NewUser) { n.Username = "uma2@acme" },
		"another full name":            func(n *NewUser) { n.FullName = "Uma" },
		"another role":                 func(n *NewUser) { n.Role = firemode.RoleAdmin },
		"another password":             func(n *NewUser) { n.Password = "battery staple" },
		"the name with another id":     func(n *NewUser) { n.ID = "u-2" },
		"the name in another case":     func(n *NewUser) { n.ID, n.Username = "u-2", "uma@ACME" },
		"the name with an id to mint":  func(n *NewUser) { n.ID = "" },
		"the id and name of different": func(n *NewUser) { n.ID = "u-tom" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			ctx := p.as(t, "ada@acme")
			if _, err := p.CreateUser(ctx, uma()); err != nil {
				t.Fatal(err)
			}
			n := uma()
			change(&n)
			got, err := p.CreateUser(ctx, n)
			if firemode.CodeOf(err) != firemode.CodeConflict || got.ID != "" {
				t.Errorf("got %+v (%v), want a conflict", got, err)
			}
		})
	}
}

// The same id in another organisation is another user; the same name is not to be had.
func TestUsersOfTwoOrganisations(t *testing.T) {
	p := newPlace(t)
	n := uma()
	if _, err := p.CreateUser(p.as(t, "ada@acme"), n); err != nil {
		t.Fatal(err)
	}
	olga := p.as(t, "olga@other")
	_, err := p.CreateUser(olga, n)
	if firemode.CodeOf(err) != firemode.CodeConflict {
		t.Errorf("the name in another organisation: %v, want a conflict", err)
	}
	_, err = p.User(olga, "u-uma")
	if firemode.CodeOf(err) != firemode.CodeNotFound {
		t.Errorf("a foreign user: %v, want not found", err)
	}
	_, err = p.UpdateUser(olga, "u-uma", 0, Patch{Disabled: ptr(true)})
	if firemode.CodeOf(err) != firemode.CodeNotFound {
		t.Errorf("change of a foreign user: %v, want not found", err)
	}
	n.Username = "uma@other"
	if _, err := p.CreateUser(olga, n); err != nil {
		t.Errorf("the id in another organisation: %v", err)
	}
}

func TestWhoMayDoWhatWithUsers(t *testing.T) {
	p := newPlace(t)
	for _, r := range firemode.Roles {
		if r != firemode.RoleAdmin && r != firemode.RoleTechnician {
			p.add(t, "acme", string(r), r)
		}
	}
	none := firemode.Code(0)
	for name, want := range map[string]struct{ read, write firemode.Code }{
		"ada@acme":      {none, none},
		"manager@acme":  {none, firemode.CodeForbidden},
		"engineer@acme": {firemode.CodeForbidden, firemode.CodeForbidden},
		"tom@acme":      {firemode.CodeForbidden, firemode.CodeForbidden},
		"owner@acme":    {firemode.CodeForbidden, firemode.CodeForbidden},
	} {
		ctx := p.as(t, name)
		_, user := p.User(ctx, "u-tom")
		_, users := p.Users(ctx, store.Page{Limit: 1})
		_, create := p.CreateUser(ctx, NewUser{Username: "by-" + name, Role: firemode.RoleOwner, Password: password})
		_, update := p.UpdateUser(ctx, "u-tom", 0, Patch{FullName: &name})
		for action, tc := range map[string]struct {
			err  error
			want firemode.Code
		}{
			"User": {user, want.read}, "Users": {users, want.read}, "CreateUser": {create, want.write}, "UpdateUser": {update, want.write},
		} {
			if (tc.err == nil) != (tc.want == none) || firemode.CodeOf(tc.err) != tc.want {
				t.Errorf("%s by %s: %v, want code %d", action, name, tc.err, tc.want)
			}
		}
		if me, err := p.Me(ctx); err != nil || me.Username != name || me.PasswordHash != "" {
			t.Errorf("Me of %s: %+v (%v)", name, me, err)
		}
	}
	if _, err := p.Users(t.Context(), store.Page{Limit: 1}); firemode.CodeOf(err) != firemode.CodeUnauthenticated {
		t.Errorf("without a principal: %v", err)
	}
}

func TestUsersPageByPage(t *testing.T) {
	p := newPlace(t)
	for _, name := range []string{"a", "b", "c"} {
		p.add(t, "acme", name, firemode.RoleOwner)
	}
	ctx := p.as(t, "ada@acme")
	var got []string
	page := store.Page{Limit: 2}
	for {
		list, err := p.Users(ctx, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			got = append(got, one.Row.Username+one.Row.PasswordHash)
		}
		if len(list) < page.Limit {
			break
		}
		page.After = list[1].Key
	}
	if want := []string{"ada@acme", "tom@acme", "a@acme", "b@acme", "c@acme"}; !slices.Equal(got, want) {
		t.Errorf("walked over %q, want %q", got, want)
	}
}

// A request that is sent again under its Idempotency-Key changes nothing, and no secret is in what is kept of it.
func TestUsersUnderAnIdempotencyKey(t *testing.T) {
	p := newPlace(t)
	n := uma()
	n.ID = ""
	var ids []firemode.UserID
	for _, replayed := range []bool{false, true} {
		ctx, claim := underKey(p.as(t, "ada@acme"), "create")
		u, err := p.CreateUser(ctx, n)
		if err != nil || claim.Replayed != replayed {
			t.Fatalf("create: %v, replayed %t, want %t", err, claim.Replayed, replayed)
		}
		ids = append(ids, u.ID)
	}
	if ids[0] != ids[1] {
		t.Errorf("made %q and %q, want one", ids[0], ids[1])
	}
	for _, replayed := range []bool{false, true} {
		ctx, claim := underKey(p.as(t, "ada@acme"), "update")
		u, err := p.UpdateUser(ctx, ids[0], 1, Patch{Password: ptr("battery staple")})
		if err != nil || claim.Replayed != replayed || u.Version != 2 || u.Generation != 2 {
			t.Fatalf("update: %+v (%v), replayed %t, want %t", u, err, claim.Replayed, replayed)
		}
	}
	err := p.store.View(t.Context(), func(tx store.ReadTx) error {
		kept, err := store.As[store.ResponseReader](tx).Responses(t.Context(), []store.StoredResponse{{Scope: "test", Key: "create"}, {Scope: "test", Key: "update"}})
		for _, a := range kept {
			if bytes.Contains(a.Result, []byte("argon2id")) || bytes.Contains(a.Result, []byte("battery")) {
				t.Errorf("kept: %s", a.Result)
			}
		}
		if len(kept) != 2 {
			t.Errorf("%d answers are kept, want 2", len(kept))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
