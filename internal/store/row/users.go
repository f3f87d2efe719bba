package row

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// UserColumns are those of table users, but for username_key, the folded username.
const UserColumns = "org, id, username, full_name, role, password_hash, disabled, generation, version, created_at, " +
	"creation"

// UserTaken says what CreateUser found taken.
var UserTaken = Taken{Primary: "a user with this id exists already", Unique: "this username is taken"}

// UserValues are in the order of UserColumns, then username_key.
func UserValues(u firemode.User) []any {
	return []any{
		u.Org, u.ID, u.Username, u.FullName, u.Role, u.PasswordHash, u.Disabled, u.Generation, u.Version,
		store.Micros(u.CreatedAt), blob(u.Creation), store.Fold(u.Username),
	}
}

// ScanUser reads UserColumns.
func ScanUser(s Scanner) (u firemode.User, err error) {
	err = scan(s, "users", &u.Org, &u.ID, &u.Username, &u.FullName, &u.Role, &u.PasswordHash, &u.Disabled,
		&u.Generation, &u.Version,
		store.TimeColumn{Into: &u.CreatedAt}, &u.Creation)
	return u, err
}

// SelectUsers selects UserColumns of users.
const SelectUsers = "SELECT " + UserColumns + " FROM users"

// User implements store.UserReader.
func (r Reader) User(ctx context.Context, org firemode.OrgID, id firemode.UserID) (firemode.User, error) {
	u, err := One(ctx, r.sql, ScanUser, SelectUsers+" WHERE org = ? AND id = ?", org, id)
	return Found(u, err, "user")
}

// UserByName implements store.UserReader.
func (r Reader) UserByName(ctx context.Context, username string) (firemode.User, error) {
	u, err := One(ctx, r.sql, ScanUser, SelectUsers+" WHERE username_key = ?", store.Fold(username))
	return Found(u, err, "user")
}

// Users implements store.UserReader.
func (r Reader) Users(ctx context.Context, org firemode.OrgID, p store.Page) ([]store.Keyed[firemode.User], error) {
	at, id, err := After(p)
	if err != nil {
		return nil, err
	}
	list, err := All(ctx, r.sql, ScanUser,
		SelectUsers+" WHERE org = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?", org, at, id,
		p.Limit)
	return Keyed(list, err, func(u firemode.User) string { return store.Key(store.Micros(u.CreatedAt), string(u.ID)) })
}

// CreateUser implements store.UserWriter.
func (w Writer) CreateUser(ctx context.Context, u firemode.User) error {
	_, err := w.sql.Write(ctx, UserTaken, InsertInto("users", UserColumns+", username_key"), UserValues(u)...)
	return err
}

// UpdateUser implements store.UserWriter.
func (w Writer) UpdateUser(ctx context.Context, u firemode.User) error {
	n, err := w.sql.Write(ctx, UserTaken,
		`UPDATE users SET full_name = ?, role = ?, password_hash = ?, disabled = ?, generation = ?,
			version = version + 1
		WHERE org = ? AND id = ? AND version = ?`,
		u.FullName, u.Role, u.PasswordHash, u.Disabled, u.Generation, u.Org, u.ID, u.Version)
	return Changed(w.sql, n, err, "the user", func() error {
		_, err := w.read.User(ctx, u.Org, u.ID)
		return err
	})
}
