package assets_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

// office is an organisation with a few users, on a real store, and a second organisation beside it.
type office struct {
	*assets.Service
	store store.Store
	t     testing.TB
}

var (
	manager = firemode.Principal{Org: "org", User: "manager", Role: firemode.RoleManager}
	owner   = firemode.Principal{Org: "org", User: "owner", Role: firemode.RoleOwner}
	other   = firemode.Principal{Org: "org", User: "owner2", Role: firemode.RoleOwner}
	foreign = firemode.Principal{Org: "elsewhere", User: "manager", Role: firemode.RoleManager}
)

func newOffice(t testing.TB) office {
	t.Helper()
	s := storetest.OpenSQLite(t)
	minted := 0
	service, err := assets.New(s, assets.Config{NewID: func() string { minted++; return fmt.Sprintf("id-%d", minted) }})
	if err != nil {
		t.Fatal(err)
	}
	o := office{service, s, t}
	o.must(s.Update(t.Context(), func(tx store.Tx) error {
		for _, p := range []firemode.Principal{manager, owner, other, foreign} {
			if err := o.createUser(tx, p); err != nil {
				return err
			}
		}
		return nil
	}))
	return o
}

func (o office) createUser(tx store.Tx, p firemode.Principal) error {
	ctx := o.t.Context()
	if _, err := store.As[store.OrganisationReader](tx).Organisation(ctx, p.Org); firemode.CodeOf(err) == firemode.CodeNotFound {
		if err := store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, firemode.Organisation{ID: p.Org, Name: string(p.Org), CreatedAt: tx.Now()}); err != nil {
			return err
		}
	}
	return store.As[store.UserWriter](tx).CreateUser(ctx, firemode.User{
		Org: p.Org, ID: p.User, Username: string(p.User) + "@" + string(p.Org), Role: p.Role, Version: 1, CreatedAt: tx.Now(),
	})
}

func (o office) as(p firemode.Principal) context.Context {
	return firemode.WithPrincipal(o.t.Context(), p)
}

func (o office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// tower creates a building that owner may read.
func (o office) tower() firemode.BuildingID {
	o.t.Helper()
	b, err := o.Create(o.as(manager), assets.NewBuilding{ID: "tower", Name: "Harbour Tower", Address: "1 Quay St", Owners: []firemode.UserID{"owner"}})
	o.must(err)
	return b.ID
}

// audits returns what the organisation's audit log says, oldest first, as "action subject".
func (o office) audits() (said []string, last map[string]any) {
	o.t.Helper()
	o.must(o.store.View(o.t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AuditReader](tx).EachAudit(o.t.Context(), "org", func(e ledger.AuditEntry) error {
			said = append(said, e.Action+" "+e.Subject)
			last = map[string]any{}
			return json.Unmarshal(e.Data, &last)
		})
	}))
	return said, last
}

// wantCode checks the code of an error; ok stands for none.
func wantCode(t testing.TB, what string, err error, want firemode.Code) {
	t.Helper()
	if err == nil || firemode.CodeOf(err) != want {
		t.Errorf("%s: %v (code %d), want code %d", what, err, firemode.CodeOf(err), want)
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	s := storetest.OpenSQLite(t)
	for want, make := range map[string]func() (*assets.Service, error){
		"buildings: a store is required":      func() (*assets.Service, error) { return assets.New(nil, assets.Config{}) },
		"buildings: Config.NewID is required": func() (*assets.Service, error) { return assets.New(s, assets.Config{}) },
	} {
		if _, err := make(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
