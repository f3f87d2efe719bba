package identity

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/store"
)

func TestCreateUser_SameContentTwice_IsOneCreation(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	ctx := p.as(t, "ada@acme")
	created, err := p.CreateUser(ctx, uma())
	if err != nil {
		t.Fatal(err)
	}
	want := firemode.User{
		Org: "acme", ID: "u-uma", Username: "Uma@acme", FullName: "Uma Ünal", Role: firemode.RoleEngineer,
		Generation: 1, Version: 1, CreatedAt: created.CreatedAt,
	}
	same := func(got firemode.User) bool {
		return got.Creation == nil && got.CreatedAt.Equal(want.CreatedAt) && describe(got) == describe(want)
	}
	if !same(created) || created.CreatedAt.IsZero() {
		t.Errorf("created %+v, want %+v", created, want)
	}
	if read, err := p.User(ctx, "u-uma"); err != nil || !same(read) {
		t.Errorf("read %+v (%v), want %+v", read, err, want)
	}
	if again, err := p.CreateUser(ctx, uma()); err != nil || !same(again) {
		t.Errorf("asked for again %+v (%v), want %+v", again, err, want)
	}
	p.login(t, "uma@acme")
	log := p.actions(t, "acme")
	entry := `u-ada user.create u-uma {"full_name":"Uma Ünal","role":"engineer","username":"Uma@acme"}`
	if got := log[len(log)-2]; got != entry {
		t.Errorf("the log says %q, want %q", got, entry)
	}
}

func TestCreateUser_OtherContent_Conflict(t *testing.T) {
	t.Parallel()
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
			p := newFixture(t)
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

// Ids are unique in an organisation, usernames over all organisations.
func TestCreateUser_TwoOrganisations_ShareOnlyUsernames(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
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

func TestUsers_EachRole_MayDoItsPart(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
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
			"User": {
				user, want.read,
			}, "Users": {users, want.read}, "CreateUser": {
				create,
				want.write,
			}, "UpdateUser": {
				update, want.write,
			},
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

func TestUsers_Pages_ListEachOnce(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
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

// A retry under the same Idempotency-Key changes nothing, and the stored response holds no secret.
func TestUsers_SameIdempotencyKey_ReplaysWithoutSecrets(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
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
		t.Errorf("created %q and %q, want one", ids[0], ids[1])
	}
	for _, replayed := range []bool{false, true} {
		ctx, claim := underKey(p.as(t, "ada@acme"), "update")
		u, err := p.UpdateUser(ctx, ids[0], 1, Patch{Password: ptr("battery staple")})
		if err != nil || claim.Replayed != replayed || u.Version != 2 || u.Generation != 2 {
			t.Fatalf("update: %+v (%v), replayed %t, want %t", u, err, claim.Replayed, replayed)
		}
	}
	err := p.store.View(t.Context(), func(tx store.ReadTx) error {
		keys := []store.StoredResponse{{Scope: "test", Key: "create"}, {Scope: "test", Key: "update"}}
		kept, err := store.As[store.ResponseReader](tx).Responses(t.Context(), keys)
		for _, a := range kept {
			if bytes.Contains(a.Result, []byte("argon2id")) || bytes.Contains(a.Result, []byte("battery")) {
				t.Errorf("kept: %s", a.Result)
			}
		}
		if len(kept) != 2 {
			t.Errorf("%d responses are stored, want 2", len(kept))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateUser_InvalidField_IsNamed(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	ctx := p.as(t, "ada@acme")
	for name, tc := range map[string]struct {
		change func(*NewUser)
		field  string
	}{
		"an id with a space":       {func(n *NewUser) { n.ID = "u 1" }, "id"},
		"an id that is long":       {func(n *NewUser) { n.ID = firemode.UserID(strings.Repeat("u", 65)) }, "id"},
		"no name":                  {func(n *NewUser) { n.Username = "" }, "username"},
		"a name with a space":      {func(n *NewUser) { n.Username = "uma acme" }, "username"},
		"a name beyond ASCII":      {func(n *NewUser) { n.Username = "ümа@acme" }, "username"},
		"a name that is long":      {func(n *NewUser) { n.Username = strings.Repeat("u", 129) }, "username"},
		"a full name of two lines": {func(n *NewUser) { n.FullName = "Uma\nadmin" }, "full_name"},
		"a full name that is long": {func(n *NewUser) { n.FullName = strings.Repeat("ü", 201) }, "full_name"},
		"a full name of bytes":     {func(n *NewUser) { n.FullName = "\xff" }, "full_name"},
		"no role":                  {func(n *NewUser) { n.Role = "" }, "role"},
		"an unknown role":          {func(n *NewUser) { n.Role = "root" }, "role"},
		"no password":              {func(n *NewUser) { n.Password = "" }, "password"},
		"a short password":         {func(n *NewUser) { n.Password = "ninechars" }, "password"},
		"a long password":          {func(n *NewUser) { n.Password = strings.Repeat("ü", 129) }, "password"},
		"a password of bytes":      {func(n *NewUser) { n.Password = "ten bytes\xff" }, "password"},
	} {
		t.Run(name, func(t *testing.T) {
			n := uma()
			tc.change(&n)
			_, err := p.CreateUser(ctx, n)
			invalid(t, err, tc.field)
			patch := Patch{FullName: &n.FullName, Role: &n.Role, Password: &n.Password}
			if tc.field != "id" && tc.field != "username" {
				_, err = p.UpdateUser(ctx, "u-tom", 0, patch)
				invalid(t, err, tc.field)
			}
		})
	}
	for name, change := range map[string]func(*NewUser){
		"passwords of 10 characters": func(n *NewUser) {
			n.ID, n.Username, n.Password = "u-a", "a", strings.Repeat("ü", 10)
		},
		"passwords of 128 characters": func(n *NewUser) {
			n.ID, n.Username, n.Password = "u-b", "b", strings.Repeat("ü", 128)
		},
		"no full name": func(n *NewUser) { n.ID, n.Username, n.FullName = "u-c", "c", "" },
	} {
		n := uma()
		change(&n)
		if _, err := p.CreateUser(ctx, n); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func uma() NewUser {
	return NewUser{
		ID:       "u-uma",
		Username: "Uma@acme",
		FullName: "Uma Ünal",
		Role:     firemode.RoleEngineer,
		Password: password,
	}
}

// describe returns all that a caller sees of u, except the time.
func describe(u firemode.User) string {
	return strings.Join([]string{
		string(u.Org), string(u.ID), u.Username, u.FullName, string(u.Role), u.PasswordHash,
		map[bool]string{true: "disabled", false: "enabled"}[u.Disabled],
		string(rune('0' + u.Generation)), string(rune('0' + u.Version)),
	}, "|")
}
