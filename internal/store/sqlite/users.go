package sqlite

import (
	"context"
	"math"
	"time"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectOrganisations = "SELECT " + row.OrganisationColumns + " FROM organisations"

func (t readTx) Organisation(ctx context.Context, id firemode.OrgID) (firemode.Organisation, error) {
	o, err := one(ctx, t, row.ScanOrganisation, selectOrganisations+" WHERE id = ?", id)
	return found(o, err, "organisation")
}

func (t readTx) Organisations(ctx context.Context) ([]firemode.Organisation, error) {
	return all(ctx, t, row.ScanOrganisation, selectOrganisations+" ORDER BY id")
}

func (t writeTx) CreateOrganisation(ctx context.Context, o firemode.Organisation) error {
	_, err := t.write(ctx, row.OrganisationTaken,
		"INSERT INTO organisations ("+row.OrganisationColumns+") VALUES (?, ?, ?)", row.OrganisationValues(o)...)
	return err
}

const selectUsers = "SELECT " + row.UserColumns + " FROM users"

func (t readTx) User(ctx context.Context, org firemode.OrgID, id firemode.UserID) (firemode.User, error) {
	u, err := one(ctx, t, row.ScanUser, selectUsers+" WHERE org = ? AND id = ?", org, id)
	return found(u, err, "user")
}

func (t readTx) UserByName(ctx context.Context, username string) (firemode.User, error) {
	u, err := one(ctx, t, row.ScanUser, selectUsers+" WHERE username_key = ?", store.Fold(username))
	return found(u, err, "user")
}

func (t readTx) Users(ctx context.Context, org firemode.OrgID, p store.Page) ([]store.Keyed[firemode.User], error) {
	at, id, err := after(p)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, t, row.ScanUser,
		selectUsers+" WHERE org = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?", org, at, id, p.Limit)
	return keyed(list, err, func(u firemode.User) string { return store.Key(store.Micros(u.CreatedAt), string(u.ID)) })
}

// after reads the key of a page of a list that is ordered upwards.
func after(p store.Page) (n int64, id string, err error) {
	if p.After == "" {
		return math.MinInt64, "", nil
	}
	return store.ParseKey(p.After)
}

func (t readTx) UsersByID(ctx context.Context, org firemode.OrgID, ids []firemode.UserID) ([]firemode.User, error) {
	return all(ctx, t, row.ScanUser, selectUsers+" WHERE org = ? AND id IN (SELECT value FROM json_each(?))", org, array(ids))
}

func (t writeTx) CreateUser(ctx context.Context, u firemode.User) error {
	_, err := t.write(ctx, row.UserTaken,
		"INSERT INTO users ("+row.UserColumns+", username_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row.UserValues(u)...)
	return err
}

func (t writeTx) UpdateUser(ctx context.Context, u firemode.User) error {
	n, err := t.write(ctx, row.UserTaken,
		`UPDATE users SET full_name = ?, role = ?, password_hash = ?, disabled = ?, generation = ?, version = version + 1
		WHERE org = ? AND id = ? AND version = ?`,
		u.FullName, u.Role, u.PasswordHash, u.Disabled, u.Generation, u.Org, u.ID, u.Version)
	return t.changed(n, err, "the user", func() error {
		_, err := t.User(ctx, u.Org, u.ID)
		return err
	})
}

const selectTokens = "SELECT " + row.RefreshTokenColumns + " FROM refresh_tokens"

func (t readTx) RefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error) {
	r, err := one(ctx, t, row.ScanRefreshToken, selectTokens+" WHERE hash = ?", hash)
	return found(r, err, "refresh token")
}

func (t writeTx) LockRefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error) {
	return t.RefreshToken(ctx, hash) // an Update has the database to itself
}

func (t writeTx) CreateRefreshToken(ctx context.Context, r firemode.RefreshToken) error {
	_, err := t.write(ctx, row.RefreshTokenTaken,
		"INSERT INTO refresh_tokens ("+row.RefreshTokenColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row.RefreshTokenValues(r)...)
	return err
}

func (t writeTx) UseRefreshToken(ctx context.Context, r firemode.RefreshToken) error {
	n, err := t.write(ctx, row.Taken{}, "UPDATE refresh_tokens SET used_at = ?, retry_key = ?, retry_answer = ? WHERE hash = ?",
		row.TokenUseValues(r)...)
	if err == nil && n == 0 {
		err = t.fail(firemode.NotFound("there is no such refresh token"))
	}
	return err
}

func (t writeTx) ForgetRetryAnswers(ctx context.Context, before time.Time) (int, error) {
	n, err := t.write(ctx, row.Taken{}, `UPDATE refresh_tokens SET retry_key = '', retry_answer = NULL
		WHERE retry_answer IS NOT NULL AND used_at < ?`, store.Micros(before))
	return int(n), err
}

func (t writeTx) RevokeFamily(ctx context.Context, family string) error {
	return t.exec(ctx, "UPDATE refresh_tokens SET revoked = 1 WHERE family = ?", family)
}

func (t writeTx) RevokeUserTokens(ctx context.Context, org firemode.OrgID, user firemode.UserID) error {
	return t.exec(ctx, "UPDATE refresh_tokens SET revoked = 1 WHERE org = ? AND user_id = ?", org, user)
}

func (t readTx) RevocationsSince(ctx context.Context, since int64, now time.Time) ([]firemode.Revocation, error) {
	return all(ctx, t, row.ScanRevocation,
		"SELECT seq, "+row.RevocationColumns+" FROM revocations WHERE seq > ? AND expires_at > ? ORDER BY seq", since, store.Micros(now))
}

func (t writeTx) CreateRevocation(ctx context.Context, r firemode.Revocation) error {
	t.changes(store.TopicRevocations)
	return t.exec(ctx, "INSERT INTO revocations ("+row.RevocationColumns+") VALUES (?, ?, ?, ?, ?)", row.RevocationValues(r)...)
}

func (t writeTx) DeleteExpiredTokens(ctx context.Context, before time.Time) (int, error) {
	tokens, err := t.write(ctx, row.Taken{}, "DELETE FROM refresh_tokens WHERE expires_at < ?", store.Micros(before))
	if err != nil {
		return 0, err
	}
	revocations, err := t.write(ctx, row.Taken{}, "DELETE FROM revocations WHERE expires_at < ?", store.Micros(before))
	return int(tokens + revocations), err
}
