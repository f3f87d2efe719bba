package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"firemode"
)

const (
	maxUsername = 128 // bytes
	maxName     = 200 // characters
)

// check says what is wrong with n, which has an ID.
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
	return checkPassword("password", n.Password)
}

// checkUsername admits ASCII alone: what is the same without case must not depend on the database.
func checkUsername(name string) error {
	allowed := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._@+-", r)
	}
	if name == "" || len(name) > maxUsername || strings.ContainsFunc(name, func(r rune) bool { return !allowed(r) }) {
		return firemode.InvalidField("username", "must be 1 to %d of A-Z a-z 0-9 . _ @ + -", maxUsername)
	}
	return nil
}

// checkName admits any text of one line, the empty one too.
func checkName(field, name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) || utf8.RuneCountInString(name) > maxName {
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
