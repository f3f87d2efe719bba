package assets_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	_, err := store.As[store.OrganisationReader](tx).Organisation(ctx, p.Org)
	if firemode.CodeOf(err) == firemode.CodeNotFound {
		org := firemode.Organisation{ID: p.Org, Name: string(p.Org), CreatedAt: tx.Now()}
		if err := store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, org); err != nil {
			return err
		}
	}
	return store.As[store.UserWriter](tx).CreateUser(ctx, firemode.User{
		Org: p.Org, ID: p.User, Username: string(p.User) + "@" + string(p.Org), Role: p.Role, Version: 1,
		CreatedAt: tx.Now(),
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
	b, err := o.Create(o.as(manager), assets.NewBuilding{
		ID: "tower", Name: "Harbour Tower", Address: "1 Quay St", Owners: []firemode.UserID{"owner"},
	})
	o.must(err)
	return b.ID
}

// audits returns the entries of the organisation's audit log, oldest first, as "action subject",
// and the data of the last one.
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

// wantCode checks that err has the code want.
func wantCode(t testing.TB, what string, err error, want firemode.Code) {
	t.Helper()
	if err == nil || firemode.CodeOf(err) != want {
		t.Errorf("%s: %v (code %d), want code %d", what, err, firemode.CodeOf(err), want)
	}
}

// wantDetails checks that err is CodeInvalid with exactly these details, or no error if there are
// none.
func wantDetails(t testing.TB, err error, want []firemode.Detail) {
	t.Helper()
	var got []firemode.Detail
	var e *firemode.Error
	switch {
	case errors.As(err, &e) && e.Code == firemode.CodeInvalid:
		got = e.Details
	case err != nil:
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got)\n%s", diff)
	}
}

var extinguisher = firemode.Asset{
	ID: "FE-001", Type: "Extinguisher ABE 4.5kg", Level: "Level 3", Location: " lift  lobby ",
	Installed: "29/02/2024", Barcode: "0123", Notes: "a\r\nb",
	Baselines: []firemode.Baseline{
		{Measurement: "pressure_kpa", Value: "1200", Unit: "kPa", Source: "Data plate", Date: "2024-02-29"},
	},
}
