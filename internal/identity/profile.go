package identity

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Me returns the caller as a user.
func (s *Service) Me(ctx context.Context) (firemode.User, error) {
	who, err := authorize(ctx, OwnRead)
	if err != nil {
		return firemode.User{}, err
	}
	u, err := s.user(ctx, who.Org, who.User)
	return public(u), err
}

// MyAudits lists the caller's audit entries, newest first. It is CodeNotFound for the operator, who
// is no user.
func (s *Service) MyAudits(ctx context.Context, p store.Page) (list []store.Keyed[ledger.AuditEntry], err error) {
	who, err := authorize(ctx, OwnRead)
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

// ChangePassword changes the caller's password and revokes all their tokens, that of this request
// included. A wrong old password is CodeInvalid and counts as a failed login.
func (s *Service) ChangePassword(ctx context.Context, oldPassword, newPassword string) error {
	who, err := authorize(ctx, OwnWrite)
	if err != nil {
		return err
	}
	if err := validatePassword("new_password", newPassword); err != nil {
		return err
	}
	u, err := s.user(ctx, who.Org, who.User)
	if err != nil {
		return err
	}
	ok, err := s.checkPassword(ctx, attempt{username: u.Username}, oldPassword, u.PasswordHash)
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
		if current.Generation != u.Generation { // disabled, or given another password, during the check
			return firemode.Conflict("the user was changed meanwhile; try again")
		}
		_, err = s.change(ctx, tx, who, current, Patch{Password: &newPassword}.applied(current, hash))
		return err
	})
}
