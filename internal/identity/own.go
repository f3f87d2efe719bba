package identity

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Me returns the caller.
func (s *Service) Me(ctx context.Context) (firemode.User, error) {
	who, err := actor(ctx, OwnRead)
	if err != nil {
		return firemode.User{}, err
	}
	u, err := s.user(ctx, who.Org, who.User)
	return shown(u), err
}

// MyAudits lists what the caller did, newest first. The operator, who is no user, has no such list.
func (s *Service) MyAudits(ctx context.Context, p store.Page) (list []store.Keyed[ledger.AuditEntry], err error) {
	who, err := actor(ctx, OwnRead)
	if err != nil {
		return nil, err
	}
	if who.User == "" {
		return nil, firemode.NotFound("the operator has no audit trail of its own")
	}
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		list, err = store.As[store.AuditReader](tx).Audits(ctx, who.Org, who.User, p)
		return err
	})
	return list, err
}

// ChangePassword gives the caller another password and voids all their tokens, the one of this request too. A wrong old one
// is CodeInvalid and counts as a failed login.
func (s *Service) ChangePassword(ctx context.Context, oldPassword, newPassword string) error {
	who, err := actor(ctx, OwnWrite)
	if err != nil {
		return err
	}
	if err := checkPassword("new_password", newPassword); err != nil {
		return err
	}
	u, err := s.user(ctx, who.Org, who.User)
	if err != nil {
		return err
	}
	ok, err := s.prove(ctx, attempt{username: u.Username}, oldPassword, u.PasswordHash)
	if err != nil {
		return err
	}
	if !ok {
		return firemode.InvalidField("old_password", "is not the present one")
	}
	hash, err := s.passwords.hash(ctx, newPassword)
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx store.Tx) error {
		current, err := lockUser(ctx, tx, who.Org, who.User)
		if err != nil {
			return err
		}
		if current.Generation != u.Generation { // disabled, or given another password, while the old one was being checked
			return firemode.Conflict("the user was changed meanwhile; try again")
		}
		_, err = s.change(ctx, tx, who, current, Patch{Password: &newPassword}.applied(current, hash))
		return err
	})
}
