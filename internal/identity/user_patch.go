package identity

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// Patch changes the fields that are not nil.
type Patch struct {
	FullName *string
	Role     *firemode.Role
	Disabled *bool
	Password *string
}

func (p Patch) check() error {
	if p.FullName != nil {
		if err := checkName("full_name", *p.FullName); err != nil {
			return err
		}
	}
	if p.Role != nil {
		if err := checkRole(*p.Role); err != nil {
			return err
		}
	}
	if p.Password != nil {
		return validatePassword("password", *p.Password)
	}
	return nil
}

// UpdateUser changes a user of the caller's organisation that is at version ifVersion (0: at any),
// else it is CodeChanged. It is CodeConflict if it would leave no enabled administrator. Disabling
// a user, or changing role or password, revokes all tokens of the user.
func (s *Service) UpdateUser(ctx context.Context, id firemode.UserID, ifVersion int64, p Patch) (firemode.User, error) {
	who, err := authorize(ctx, UserWrite)
	if err != nil {
		return firemode.User{}, err
	}
	if err := p.check(); err != nil {
		return firemode.User{}, err
	}
	var hash string
	if p.Password != nil {
		if hash, err = s.passwords.hash(ctx, *p.Password); err != nil {
			return firemode.User{}, err
		}
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (firemode.User, error) {
		u, err := lockUser(ctx, tx, who.Org, id)
		if err != nil {
			return firemode.User{}, err
		}
		if ifVersion != 0 && ifVersion != u.Version {
			return firemode.User{}, firemode.Changed("the user was changed meanwhile; read it again")
		}
		return s.change(ctx, tx, who, u, p.applied(u, hash))
	})
}

// applied returns u after the patch; hash is that of p.Password.
func (p Patch) applied(u firemode.User, hash string) firemode.User {
	if p.FullName != nil {
		u.FullName = *p.FullName
	}
	if p.Role != nil {
		u.Role = *p.Role
	}
	if p.Disabled != nil {
		u.Disabled = *p.Disabled
	}
	if p.Password != nil {
		u.PasswordHash = hash
	}
	return u
}

// change writes the change of a locked user, its audit entry, and the revocation of the user's
// tokens if it requires one.
func (s *Service) change(
	ctx context.Context, tx store.Tx, who firemode.Principal, before, after firemode.User,
) (firemode.User, error) {
	changes := difference(before, after)
	if len(changes) == 0 {
		return public(before), nil
	}
	if isEnabledAdmin(before) && !isEnabledAdmin(after) {
		if err := requireOtherAdmin(ctx, tx, before); err != nil {
			return firemode.User{}, err
		}
	}
	if revokesTokens(before, after) {
		if err := s.revokeUser(ctx, tx, before); err != nil {
			return firemode.User{}, err
		}
		after.Generation++
	}
	if err := store.As[store.UserWriter](tx).UpdateUser(ctx, after); err != nil {
		return firemode.User{}, err
	}
	after.Version++
	return public(after), s.audit(ctx, tx, who, store.Action{
		Name: "user.update", Subject: string(after.ID), Data: changes,
	})
}

// difference returns the new values of the fields that changed, for the audit log, but never a
// password.
func difference(before, after firemode.User) map[string]any {
	changes := make(map[string]any)
	if after.FullName != before.FullName {
		changes["full_name"] = after.FullName
	}
	if after.Role != before.Role {
		changes["role"] = after.Role
	}
	if after.Disabled != before.Disabled {
		changes["disabled"] = after.Disabled
	}
	if after.PasswordHash != before.PasswordHash {
		changes["password"] = "changed"
	}
	return changes
}

func revokesTokens(before, after firemode.User) bool {
	disabled := after.Disabled && !before.Disabled
	return disabled || after.Role != before.Role || after.PasswordHash != before.PasswordHash
}

func isEnabledAdmin(u firemode.User) bool { return u.Role == firemode.RoleAdmin && !u.Disabled }

// requireOtherAdmin is CodeConflict if u is the only enabled administrator of its organisation,
// which is locked.
func requireOtherAdmin(ctx context.Context, tx store.Tx, u firemode.User) error {
	page := store.Page{Limit: 100}
	for {
		list, err := store.As[store.UserReader](tx).Users(ctx, u.Org, page)
		if err != nil {
			return err
		}
		for _, other := range list {
			if other.Row.ID != u.ID && isEnabledAdmin(other.Row) {
				return nil
			}
		}
		if len(list) < page.Limit {
			return firemode.Conflict("this is the last enabled administrator; add another one first")
		}
		page.After = list[len(list)-1].Key
	}
}

// lockUser returns a user, and keeps others from changing the users of its organisation until the
// transaction ends.
func lockUser(ctx context.Context, tx store.Tx, org firemode.OrgID, id firemode.UserID) (firemode.User, error) {
	if err := lock(ctx, tx, org); err != nil {
		return firemode.User{}, err
	}
	return store.As[store.UserReader](tx).User(ctx, org, id)
}
