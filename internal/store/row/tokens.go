package row

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/store"
)

// RefreshTokenColumns are those of table refresh_tokens.
const RefreshTokenColumns = "hash, org, user_id, family, issued_at, expires_at, used_at, revoked, retry_key, " +
	"retry_answer"

// RefreshTokenTaken says what CreateRefreshToken found taken.
var RefreshTokenTaken = Taken{Primary: "this refresh token exists already"}

// RefreshTokenValues are in the order of RefreshTokenColumns.
func RefreshTokenValues(t firemode.RefreshToken) []any {
	return []any{
		t.Hash, t.Org, t.User, t.Family, store.Micros(t.IssuedAt), store.Micros(t.ExpiresAt), store.Micros(t.UsedAt),
		t.Revoked, t.RetryKey, blob(t.RetryAnswer),
	}
}

// TokenUseValues are what UseRefreshToken writes: used_at, retry_key, retry_answer; then hash.
func TokenUseValues(t firemode.RefreshToken) []any {
	return []any{store.Micros(t.UsedAt), t.RetryKey, blob(t.RetryAnswer), t.Hash}
}

// ScanRefreshToken reads RefreshTokenColumns.
func ScanRefreshToken(s Scanner) (t firemode.RefreshToken, err error) {
	err = scan(s, "refresh_tokens", &t.Hash, &t.Org, &t.User, &t.Family, store.TimeColumn{Into: &t.IssuedAt},
		store.TimeColumn{Into: &t.ExpiresAt},
		store.TimeColumn{Into: &t.UsedAt}, &t.Revoked, &t.RetryKey, &t.RetryAnswer)
	return t, err
}

// RevocationColumns are those of table revocations, but for seq, which the engine assigns.
const RevocationColumns = "family, org, user_id, generation, expires_at"

// RevocationValues are in the order of RevocationColumns.
func RevocationValues(r firemode.Revocation) []any {
	return []any{r.Family, r.Org, r.User, r.Generation, store.Micros(r.ExpiresAt)}
}

// ScanRevocation reads seq and RevocationColumns.
func ScanRevocation(s Scanner) (r firemode.Revocation, err error) {
	err = scan(s, "revocations", &r.Seq, &r.Family, &r.Org, &r.User, &r.Generation,
		store.TimeColumn{Into: &r.ExpiresAt})
	return r, err
}

const selectRefreshTokens = "SELECT " + RefreshTokenColumns + " FROM refresh_tokens"

// SelectRefreshToken selects RefreshTokenColumns of the refresh token with a hash.
const SelectRefreshToken = selectRefreshTokens + " WHERE hash = ?"

// RefreshToken implements store.TokenReader.
func (r Reader) RefreshToken(ctx context.Context, hash []byte) (firemode.RefreshToken, error) {
	t, err := One(ctx, r.sql, ScanRefreshToken, SelectRefreshToken, hash)
	return Found(t, err, "refresh token")
}

// RevocationsSince implements store.TokenReader.
func (r Reader) RevocationsSince(ctx context.Context, since int64, now time.Time) ([]firemode.Revocation, error) {
	return All(ctx, r.sql, ScanRevocation,
		"SELECT seq, "+RevocationColumns+" FROM revocations WHERE seq > ? AND expires_at > ? ORDER BY seq", since,
		store.Micros(now))
}

// CreateRefreshToken implements store.TokenWriter.
func (w Writer) CreateRefreshToken(ctx context.Context, t firemode.RefreshToken) error {
	_, err := w.sql.Write(ctx, RefreshTokenTaken, InsertInto("refresh_tokens", RefreshTokenColumns),
		RefreshTokenValues(t)...)
	return err
}

// UseRefreshToken implements store.TokenWriter.
func (w Writer) UseRefreshToken(ctx context.Context, t firemode.RefreshToken) error {
	n, err := w.sql.Write(ctx, Taken{}, "UPDATE refresh_tokens SET used_at = ?, retry_key = ?, retry_answer = ? "+
		"WHERE hash = ?",
		TokenUseValues(t)...)
	if err == nil && n == 0 {
		err = w.sql.Fail(firemode.NotFound("there is no such refresh token"))
	}
	return err
}

// ForgetRetryAnswers implements store.TokenWriter.
func (w Writer) ForgetRetryAnswers(ctx context.Context, before time.Time) (int, error) {
	n, err := w.sql.Write(ctx, Taken{}, `UPDATE refresh_tokens SET retry_key = '', retry_answer = NULL
		WHERE retry_answer IS NOT NULL AND used_at < ?`, store.Micros(before))
	return int(n), err
}

// RevokeFamily implements store.TokenWriter.
func (w Writer) RevokeFamily(ctx context.Context, family string) error {
	return Exec(ctx, w.sql, "UPDATE refresh_tokens SET revoked = true WHERE family = ?", family)
}

// RevokeUserTokens implements store.TokenWriter.
func (w Writer) RevokeUserTokens(ctx context.Context, org firemode.OrgID, user firemode.UserID) error {
	return Exec(ctx, w.sql, "UPDATE refresh_tokens SET revoked = true WHERE org = ? AND user_id = ?", org, user)
}

// CreateRevocation implements store.TokenWriter but for the topic of Watch.
func (w Writer) CreateRevocation(ctx context.Context, r firemode.Revocation) error {
	return Exec(ctx, w.sql, InsertInto("revocations", RevocationColumns), RevocationValues(r)...)
}

// DeleteExpiredTokens implements store.TokenWriter.
func (w Writer) DeleteExpiredTokens(ctx context.Context, before time.Time) (int, error) {
	tokens, err := w.sql.Write(ctx, Taken{}, "DELETE FROM refresh_tokens WHERE expires_at < ?", store.Micros(before))
	if err != nil {
		return 0, err
	}
	revocations, err := w.sql.Write(ctx, Taken{}, "DELETE FROM revocations WHERE expires_at < ?", store.Micros(before))
	return int(tokens + revocations), err
}
