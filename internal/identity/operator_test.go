package identity

import (
	"slices"
	"strings"
	"testing"

	"firemode"
)

func TestAddOrganisation_ListsAndRefuses(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	list, err := p.Organisations(t.Context())
	if err != nil || len(list) != 2 || list[0].ID != "acme" || list[0].Name != "Organisation acme" ||
		list[1].ID != "other" {
		t.Errorf("organisations %+v (%v)", list, err)
	}
	if err := p.AddOrganisation(t.Context(), "acme", "Again"); firemode.CodeOf(err) != firemode.CodeConflict {
		t.Errorf("an id that is taken: %v", err)
	}
	invalid(t, p.AddOrganisation(t.Context(), "two words", "Two"), "id")
	invalid(t, p.AddOrganisation(t.Context(), "long", strings.Repeat("x", 201)), "name")
	_, err = p.CreateUser(AsOperator(t.Context(), "nowhere"), uma())
	if firemode.CodeOf(err) != firemode.CodeNotFound {
		t.Errorf("a user of no organisation: %v", err)
	}
	want := []string{
		` organisation.create other {"name":"Organisation other"}`,
		` user.create u-olga {"full_name":"olga","role":"admin","username":"olga@other"}`,
	}
	if got := p.actions(t, "other"); !slices.Equal(got, want) {
		t.Errorf("the log says %q, want %q", got, want)
	}
}

func TestAccessToken_ByUsername_Authenticates(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	token, err := p.AccessToken(t.Context(), "TOM@acme")
	if err != nil {
		t.Fatal(err)
	}
	who, claims, err := p.Authenticate(t.Context(), token)
	if err != nil || who.User != "u-tom" || claims.Generation != 1 {
		t.Errorf("principal %+v, claims %+v (%v)", who, claims, err)
	}
	if log := p.actions(t, "acme"); log[len(log)-1] != " token.issue u-tom {}" {
		t.Errorf("the log ends with %q", log[len(log)-1])
	}
	if err := p.Logout(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	revoked(t, p.Service, token)
	if _, err := p.DisableUser(t.Context(), "tom@acme"); err != nil {
		t.Fatal(err)
	}
	_, err = p.AccessToken(t.Context(), "tom@acme")
	refused(t, err, firemode.CodeConflict, "the user tom@acme is disabled")
	for name, err := range map[string]error{
		"token":   second(p.AccessToken(t.Context(), "nobody")),
		"disable": second(p.DisableUser(t.Context(), "nobody")),
	} {
		if firemode.CodeOf(err) != firemode.CodeNotFound {
			t.Errorf("%s of nobody: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
