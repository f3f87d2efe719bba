package identity

import (
	"testing"

	"firemode"
	"firemode/internal/store"
)

func TestChangePassword_RevokesAllTokens(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	ctx := p.as(t, "tom@acme")
	tokens := p.login(t, "tom@acme")
	invalid(t, p.ChangePassword(ctx, password, "short"), "new_password")
	invalid(t, p.ChangePassword(ctx, "wrong horse", "battery staple"), "old_password")
	accepted(t, p.Service, tokens.Access)
	if err := p.ChangePassword(ctx, password, "battery staple"); err != nil {
		t.Fatal(err)
	}
	revoked(t, p.Service, tokens.Access)
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

func TestChangePassword_TooManyFailures_IsThrottled(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
	ctx := p.as(t, "tom@acme")
	for range userFailures {
		invalid(t, p.ChangePassword(ctx, "wrong horse", "battery staple"), "old_password")
	}
	refused(
		t,
		p.ChangePassword(ctx, password, "battery staple"),
		firemode.CodeRateLimited,
		"too many failed attempts; try again later",
	)
	_, err := p.Login(t.Context(), Credentials{Username: "tom@acme", Password: password})
	refused(t, err, firemode.CodeRateLimited, "too many failed attempts; try again later")
}

func TestMyAudits_ListsOwnEntries(t *testing.T) {
	t.Parallel()
	p := newFixture(t)
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
	_, err = p.MyAudits(AsOperator(t.Context(), "acme"), store.Page{Limit: 10})
	if firemode.CodeOf(err) != firemode.CodeNotFound {
		t.Errorf("the operator's own trail: %v", err)
	}
}
