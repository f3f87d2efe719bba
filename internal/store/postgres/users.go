package postgres

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
	o, err := one(ctx, t, row.ScanOrganisation, selectOrganisations+" WHERE id = $1", id)
	return found(o, err, "organisation")
}

func (t readTx) Organisations(ctx context.Context) ([]firemode.Organisation, error) {
	return all(ctx, t, row.ScanOrganisation, selectOrganisations+" ORDER BY id")
}

func (t writeTx) CreateOrganisation(ctx context.Context, o firemode.Organisation) error {
	_, err := t.write(ctx, row.OrganisationTaken,
		insertInto("organisations", row.OrganisationColumns), row.OrganisationValues(o)...)
	return err
}

const selectUsers = "SELECT " + row.UserColumns + " FROM users"

func (t readTx) User(ctx context.Context, org firemode.OrgID, id firemode.UserID) (firemode.User, error) {
	u, err := one(ctx, t, row.ScanUser, selectUsers+" WHERE org = $1 AND id = $2", org, id)
	return found(u, err, "user")
}

func (t readTx) UserByName(ctx context.Context, username string) (firemode.User, error) {
	u, err := one(ctx, t, row.ScanUser, selectUsers+" WHERE username_key = $1", store.Fold(username))
	return found(u, err, "user")
}

func (t readTx) Users(ctx context.Context, org firemode.OrgID, p store.Page) ([]store.Keyed[firemode.User], error) {
	at, id, err := after(p)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, t, row.ScanUser,
		selectUsers+" WHERE org = $1 AND (created_at, id) > ($2, $3) ORDER BY created_at, id LIMIT $4", org, at, id, p.Limit)
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
	return all(ctx, t, row.ScanUser, selectUsers+" WHERE org = $1 AND id = ANY($2)", org, row.Strings(ids))
}

func (t writeTx) CreateUser(ctx context.Context, u firemode.User) error {
	_, err := t.write(ctx, row.UserTaken,
		insertInto("users", row.UserColumns+", username_key"), row.UserValues(u)...)
	return err
}

func (t writeTx) UpdateUser(ctx context.Context, u firemode.User) error {
	n, err := t.write(ctx, row.UserTaken,
		`UPDATE users SET full_name = $1, role = $2, password_hash = $3, disabled = $4, generation = $5, version = version + 1
		WHERE org = $6 AND id = $7 AND version = $8`,
		u.FullName, u.Role, u.PasswordHash, u.Disabled, u.Generation, u.Org, u.ID, u.Version)
	if err != nil || n > 0 {
		return err
	}
	return t.changed("the user", func() error {
		_, err := t.User(ctx, u.Org, u.ID)
		return err
	})
}

const selectTokens = "SELECT " + row.RefreshTokenColumns + " FROM refresh_tokens"

func (t readTx) RefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error) {
	r, err := one(ctx, t, row.ScanRefreshToken, selectTokens+" WHERE hash = $1", hash)
	return found(r, err, "refresh token")
}

func (t writeTx) LockRefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error) {
	r, err := one(ctx, t.readTx, row.ScanRefreshToken, selectTokens+" WHERE hash = $1 FOR UPDATE", hash)
	return found(r, err, "refresh token")
}

func (t writeTx) CreateRefreshToken(ctx context.Context, r firemode.RefreshToken) error {
	_, err := t.write(ctx, row.RefreshTokenTaken,
		insertInto("refresh_tokens", row.RefreshTokenColumns), row.RefreshTokenValues(r)...)
	return err
}

func (t writeTx) UseRefreshToken(ctx context.Context, r firemode.RefreshToken) error {
	n, err := t.write(ctx, row.Taken{}, "UPDATE refresh_tokens SET used_at = $1, retry_key = $2, retry_answer = $3 WHERE hash = $4",
		row.TokenUseValues(r)...)
	if err == nil && n == 0 {
		err = t.fail(firemode.NotFound("there is no such refresh token"))
	}
	return err
}

func (t writeTx) ForgetRetryAnswers(ctx context.Context, before time.Time) (int, error) {
	n, err := t.write(ctx, row.Taken{}, `UPDATE refresh_tokens SET retry_key = '', retry_answer = NULL
		WHERE retry_answer IS NOT NULL AND used_at < $1`, store.Micros(before))
	return int(n), err
}

func (t writeTx) RevokeFamily(ctx context.Context, family string) error {
	return t.exec(ctx, "UPDATE refresh_tokens SET revoked = true WHERE family = $1", family)
}

func (t writeTx) RevokeUserTokens(ctx context.Context, org firemode.OrgID, user firemode.UserID) error {
	return t.exec(ctx, "UPDATE refresh_tokens SET revoked = true WHERE org = $1 AND user_id = $2", org, user)
}

func (t readTx) RevocationsSince(ctx context.Context, since int64, now time.Time) ([]firemode.Revocation, error) {
	return all(ctx, t, row.ScanRevocation,
		"SELECT seq, "+row.RevocationColumns+" FROM revocations WHERE seq > $1 AND expires_at > $2 ORDER BY seq", since, store.Micros(now))
}

func (t writeTx) CreateRevocation(ctx context.Context, r firemode.Revocation) error {
	if err := t.exec(ctx, insertInto("revocations", row.RevocationColumns), row.RevocationValues(r)...); err != nil {
		return err
	}
	return t.notify(ctx, store.TopicRevocations)
}

func (t writeTx) DeleteExpiredTokens(ctx context.Context, before time.Time) (int, error) {
	tokens, err := t.write(ctx, row.Taken{}, "DELETE FROM refresh_tokens WHERE expires_at < $1", store.Micros(before))
	if err != nil {
		return 0, err
	}
	revocations, err := t.write(ctx, row.Taken{}, "DELETE FROM revocations WHERE expires_at < $1", store.Micros(before))
	return int(tokens + revocations), err
}
