package identity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"firemode"
	"firemode/internal/store"
)

const (
	maxUsername = 128 // bytes
	maxName     = 200 // characters
)

// NewUser is what a user is created from.
type NewUser struct {
	ID       firemode.UserID // minted if ""
	Username string          // unique over all organisations, compared without case
	FullName string
	Role     firemode.Role
	Password string
}

// fingerprint is the same for two creations exactly if their content is. It leaves out the
// password, of which only the Argon2id hash is stored.
func (n NewUser) fingerprint() ([]byte, error) {
	n.Password = ""
	text, err := json.Marshal(n)
	sum := sha256.Sum256(text)
	return sum[:], err
}

// check returns why n, which has an ID, is not valid.
func (n NewUser) check() error {
	if !firemode.ValidID(string(n.ID)) {
		return firemode.InvalidField("id", "must be 1 to %d of A-Z a-z 0-9 _ -", firemode.MaxIDLength)
	}
	if err := checkUsername(n.Username); err != nil {
		return err
	}
	if err := checkName("full_name", n.FullName); err != nil {
		return err
	}
	if err := checkRole(n.Role); err != nil {
		return err
	}
	return validatePassword("password", n.Password)
}

// CreateUser adds a user to the caller's organisation. A second call with the same id and content
// returns the user as it is now; another content with the same id or username is CodeConflict.
// Users are returned without their password hash.
func (s *Service) CreateUser(ctx context.Context, n NewUser) (firemode.User, error) {
	who, err := authorize(ctx, UserWrite)
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
	created, err := store.Once(ctx, s.store, func(tx store.Tx) (firemode.User, error) {
		return s.insert(ctx, tx, who, u)
	})
	if firemode.CodeOf(err) != firemode.CodeConflict {
		return created, err
	}
	existing, readErr := s.createdBefore(ctx, u, n.Password)
	if readErr != nil {
		return firemode.User{}, readErr
	}
	if existing == nil {
		return firemode.User{}, err
	}
	return public(*existing), nil
}

// newUser returns n as a user of org.
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

func (s *Service) insert(
	ctx context.Context, tx store.Tx, who firemode.Principal, u firemode.User,
) (firemode.User, error) {
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
	return public(u), s.audit(ctx, tx, who, store.Action{
		Name: "user.create", Subject: string(u.ID),
		Data: map[string]any{"username": u.Username, "full_name": u.FullName, "role": u.Role},
	})
}

// createdBefore returns the user with the id of u if it was created with the same content and
// password, else nil.
func (s *Service) createdBefore(ctx context.Context, u firemode.User, password string) (*firemode.User, error) {
	existing, err := s.user(ctx, u.Org, u.ID)
	if firemode.CodeOf(err) == firemode.CodeNotFound || err == nil && !bytes.Equal(existing.Creation, u.Creation) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	same, err := s.checkPassword(ctx, attempt{username: u.Username}, password, existing.PasswordHash)
	if err != nil || !same {
		return nil, err
	}
	return &existing, nil
}

// User returns a user of the caller's organisation.
func (s *Service) User(ctx context.Context, id firemode.UserID) (firemode.User, error) {
	who, err := authorize(ctx, UserRead)
	if err != nil {
		return firemode.User{}, err
	}
	u, err := s.user(ctx, who.Org, id)
	return public(u), err
}

// Users lists those of the caller's organisation, oldest first.
func (s *Service) Users(ctx context.Context, p store.Page) (list []store.Keyed[firemode.User], err error) {
	who, err := authorize(ctx, UserRead)
	if err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx store.ReadTx) (err error) {
		list, err = store.As[store.UserReader](tx).Users(ctx, who.Org, p)
		return err
	})
	for i := range list {
		list[i].Row = public(list[i].Row)
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

// public returns u without the fields that no caller needs and no stored response may hold.
func public(u firemode.User) firemode.User {
	u.PasswordHash, u.Creation = "", nil
	return u
}

// checkUsername allows only ASCII, so that a comparison without case does not depend on the
// database.
func checkUsername(name string) error {
	allowed := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._@+-", r)
	}
	if name == "" || len(name) > maxUsername || strings.ContainsFunc(name, func(r rune) bool { return !allowed(r) }) {
		return firemode.InvalidField("username", "must be 1 to %d of A-Z a-z 0-9 . _ @ + -", maxUsername)
	}
	return nil
}

// checkName allows any text of one line, or "".
func checkName(field, name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) ||
		utf8.RuneCountInString(name) > maxName {
		return firemode.InvalidField(field, "must be one line of at most %d characters", maxName)
	}
	return nil
}

func checkRole(r firemode.Role) error {
	if r.Valid() {
		return nil
	}
	known := make([]string, len(firemode.Roles))
	for i, role := range firemode.Roles {
		known[i] = string(role)
	}
	return firemode.InvalidField("role", "must be one of %s", strings.Join(known, ", "))
}
