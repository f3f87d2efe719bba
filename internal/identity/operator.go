package identity

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// AsOperator returns a context in which the operator at the command line administers org:
// CreateUser, Users and UpdateUser work in it. The audit log has the changes without a user.
func AsOperator(ctx context.Context, org firemode.OrgID) context.Context {
	return firemode.WithPrincipal(ctx, firemode.Principal{Org: org, Name: "operator", Role: firemode.RoleAdmin})
}

// AddOrganisation creates an organisation without users. It needs no principal: only the command
// line offers it.
func (s *Service) AddOrganisation(ctx context.Context, id firemode.OrgID, name string) error {
	if !firemode.ValidID(string(id)) {
		return firemode.InvalidField("id", "must be 1 to %d of A-Z a-z 0-9 _ -", firemode.MaxIDLength)
	}
	if err := checkName("name", name); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		o := firemode.Organisation{ID: id, Name: name, CreatedAt: tx.Now()}
		if err := store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, o); err != nil {
			return err
		}
		return s.audit(ctx, tx, firemode.Principal{Org: id}, store.Action{
			Name: "organisation.create", Subject: string(id), Data: map[string]any{"name": name},
		})
	})
}

// Organisations lists all of them by id. It needs no principal: only the command line offers it.
func (s *Service) Organisations(ctx context.Context) (list []firemode.Organisation, err error) {
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		list, err = store.As[store.OrganisationReader](tx).Organisations(ctx)
		return err
	})
	return list, err
}

// DisableUser disables the user of that name, in any organisation. It needs no principal: only the
// command line offers it.
func (s *Service) DisableUser(ctx context.Context, username string) (firemode.User, error) {
	u, err := s.userByName(ctx, username)
	if err != nil {
		return firemode.User{}, err
	}
	disabled := true
	return s.UpdateUser(AsOperator(ctx, u.Org), u.ID, 0, Patch{Disabled: &disabled})
}

// AccessToken returns an access token of the user of that name, for scripts. It is CodeConflict for
// a disabled user. It needs neither principal nor password: only the command line offers it.
func (s *Service) AccessToken(ctx context.Context, username string) (token string, err error) {
	named, err := s.userByName(ctx, username)
	if err != nil {
		return "", err
	}
	err = s.store.Update(ctx, func(tx store.Tx) error {
		u, err := lockUser(ctx, tx, named.Org, named.ID)
		if err != nil {
			return err
		}
		if u.Disabled {
			return firemode.Conflict("the user %s is disabled", u.Username)
		}
		if token, err = s.sign(u, s.newID()); err != nil {
			return err
		}
		return s.audit(
			ctx,
			tx,
			firemode.Principal{Org: u.Org},
			store.Action{Name: "token.issue", Subject: string(u.ID)},
		)
	})
	return token, err
}
