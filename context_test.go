package firemode_test

import (
	"context"
	"testing"

	"firemode"
)

func TestCaller(t *testing.T) {
	ann := firemode.Principal{Org: "a", User: "ann", Role: firemode.RoleOwner}
	for name, c := range map[string]struct {
		ctx  context.Context
		want firemode.Principal
		code firemode.Code
	}{
		"nobody": {t.Context(), firemode.Principal{}, firemode.CodeUnauthenticated},
		"no organisation": {
			firemode.WithPrincipal(t.Context(), firemode.Principal{User: "ann"}),
			firemode.Principal{},
			firemode.CodeUnauthenticated,
		},
		"a user": {firemode.WithPrincipal(t.Context(), ann), ann, firemode.CodeInternal},
	} {
		got, err := firemode.Caller(c.ctx)
		if got != c.want || (err == nil) != (c.want == ann) || err != nil && firemode.CodeOf(err) != c.code {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
