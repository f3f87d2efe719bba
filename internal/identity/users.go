package identity

import (
	"context"
	"crypto/sha256"
	"encoding/json"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// NewUser is a user to be made.
type NewUser struct {
	ID       firemode.UserID // "" to mint one
	Username string          // unique over all organisations, compared without case
	FullName string
	Role     firemode.Role
	Password string
}

// fingerprint tells two requests for the same ID apart, but for the password, of which only the Argon2id hash is kept.
func (n NewUser) fingerprint() ([]byte, error) {
	n.Password = ""
	text, err := json.Marshal(n)
	sum := sha256.Sum256(text)
	return sum[:], err
}

// CreateUser adds a user to the caller's organisation. The same user asked for again is returned as it is now; another
// one with the same id or username is CodeConflict. Users come back without what verifies their password.
func (s *Service) CreateUser(ctx context.Context, n NewUser) (firemode.User, error) {
	who, err := actor(ctx, UserWrite)
	if err != nil {
		return firemode.User{}, err
	}
	if n.ID == "" {
		n.ID = firemode.UserID(s.newID())
	}
	if err := n.check(); err != nil {
		return firemode.User{}, err
	}
	u, err := s.newUser(ctx, who.Org, n)
	if err != nil {
		return firemode.User{}, err
	}
	made, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.User, error) { return s.insert(ctx, tx, who, u) })
	if firemode.CodeOf(err) != firemode.CodeConflict {
		return made, err
	}
	there, findErr := s.madeBefore(ctx, u, n.Password)
	if findErr != nil {
		return firemode.User{}, findErr
	}
	if there == nil {
		return firemode.User{}, err
	}
	return shown(*there), nil
}

// newUser is n as a row of org.
func (s *Service) newUser(ctx context.Context, org firemode.OrgID, n NewUser) (firemode.User, error) {
	creation, err := n.fingerprint()
	if err != nil {
		return firemode.User{}, err
	}
	hash, err := s.passwords.hash(ctx, n.Password)
	return firemode.User{
		Org: org, ID: n.ID, Username: n.Username, FullName: n.FullName, Role: n.Role,
		PasswordHash: hash, Generation: 1, Version: 1, Creation: creation,
	}, err
}

func (s *Service) insert(ctx context.Context, tx store.Tx, who firemode.Principal, u firemode.User) (firemode.User, error) {
	if err := lock(ctx, tx, u.Org); err != nil {
		return firemode.User{}, err
	}
	if _, err := store.As[store.OrganisationReader](tx).Organisation(ctx, u.Org); err != nil {
		return firemode.User{}, err
	}
	u.CreatedAt = tx.Now()
	if err := store.As[store.UserWriter](tx).CreateUser(ctx, u); err != nil {
		return firemode.User{}, err
	}
	return shown(u), s.audit(ctx, tx, u.Org, ledger.AuditEntry{
		User: who.User, Action: "user.create", Subject: string(u.ID),
		Data: particulars(map[string]any{"username": u.Username, "full_name": u.FullName, "role": u.Role}),
	})
}

// madeBefore returns the user that the same request made before, nil if there is none.
func (s *Service) madeBefore(ctx context.Context, u firemode.User, password string) (*firemode.User, error) {
	there, err := s.user(ctx, u.Org, u.ID)
	if firemode.CodeOf(err) == firemode.CodeNotFound || err == nil && string(there.Creation) != string(u.Creation) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	same, err := s.prove(ctx, attempt{username: u.Username}, password, there.PasswordHash)
	if err != nil || !same {
		return nil, err
	}
	return &there, nil
}

// User returns a user of the caller's organisation.
func (s *Service) User(ctx context.Context, id firemode.UserID) (firemode.User, error) {
	who, err := actor(ctx, UserRead)
	if err != nil {
		return firemode.User{}, err
	}
	u, err := s.user(ctx, who.Org, id)
	return shown(u), err
}

// Users lists those of the caller's organisation, oldest first.
func (s *Service) Users(ctx context.Context, p store.Page) (list []store.Keyed[firemode.User], err error) {
	who, err := actor(ctx, UserRead)
	if err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		list, err = store.As[store.UserReader](tx).Users(ctx, who.Org, p)
		return err
	})
	for i := range list {
		list[i].Row = shown(list[i].Row)
	}
	return list, err
}

func (s *Service) user(ctx context.Context, org firemode.OrgID, id firemode.UserID) (u firemode.User, err error) {
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		u, err = store.As[store.UserReader](tx).User(ctx, org, id)
		return err
	})
	return u, err
}

func (s *Service) userByName(ctx context.Context, username string) (u firemode.User, err error) {
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		u, err = store.As[store.UserReader](tx).UserByName(ctx, username)
		return err
	})
	return u, err
}

// shown is u without what no caller needs and no stored answer may hold.
func shown(u firemode.User) firemode.User {
	u.PasswordHash, u.Creation = "", nil
	return u
}
