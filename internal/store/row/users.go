package row

import (
	"firemode"
	"firemode/internal/store"
)

// OrganisationColumns are those of table organisations.
const OrganisationColumns = "id, name, created_at"

// OrganisationTaken says what CreateOrganisation found taken.
var OrganisationTaken = Taken{Primary: "an organisation with this id exists already"}

// OrganisationValues are in the order of OrganisationColumns.
func OrganisationValues(o firemode.Organisation) []any {
	return []any{o.ID, o.Name, store.Micros(o.CreatedAt)}
}

// ScanOrganisation reads OrganisationColumns.
func ScanOrganisation(s Scanner) (o firemode.Organisation, err error) {
	err = scan(s, "organisations", &o.ID, &o.Name, store.TimeColumn{Into: &o.CreatedAt})
	return o, err
}

// UserColumns are those of table users, but for username_key, the folded username.
const UserColumns = "org, id, username, full_name, role, password_hash, disabled, generation, version, created_at, creation"

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
	err = scan(s, "users", &u.Org, &u.ID, &u.Username, &u.FullName, &u.Role, &u.PasswordHash, &u.Disabled, &u.Generation, &u.Version,
		store.TimeColumn{Into: &u.CreatedAt}, &u.Creation)
	return u, err
}

// RefreshTokenColumns are those of table refresh_tokens.
const RefreshTokenColumns = "hash, org, user_id, family, issued_at, expires_at, used_at, revoked, retry_key, retry_answer"

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
	err = scan(s, "refresh_tokens", &t.Hash, &t.Org, &t.User, &t.Family, store.TimeColumn{Into: &t.IssuedAt}, store.TimeColumn{Into: &t.ExpiresAt},
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
	err = scan(s, "revocations", &r.Seq, &r.Family, &r.Org, &r.User, &r.Generation, store.TimeColumn{Into: &r.ExpiresAt})
	return r, err
}
