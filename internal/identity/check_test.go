package identity

import (
	"errors"
	"strings"
	"testing"

	"firemode"
)

func TestUserFieldsThatAreNotMeaningful(t *testing.T) {
	p := newPlace(t)
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
		"passwords of 10 characters":  func(n *NewUser) { n.ID, n.Username, n.Password = "u-a", "a", strings.Repeat("ü", 10) },
		"passwords of 128 characters": func(n *NewUser) { n.ID, n.Username, n.Password = "u-b", "b", strings.Repeat("ü", 128) },
		"no full name":                func(n *NewUser) { n.ID, n.Username, n.FullName = "u-c", "c", "" },
	} {
		n := uma()
		change(&n)
		if _, err := p.CreateUser(ctx, n); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// invalid fails unless err is CodeInvalid for field.
func invalid(t *testing.T, err error, field string) {
	t.Helper()
	var e *firemode.Error
	if !errors.As(err, &e) || e.Code != firemode.CodeInvalid || len(e.Details) != 1 || e.Details[0].Field != field {
		t.Errorf("got %v, want the field %q to be refused", err, field)
	}
}
