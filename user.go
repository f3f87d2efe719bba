package firemode

import "time"

// Organisation is a tenant. Every row and every query names one.
type Organisation struct {
	ID        OrgID
	Name      string
	CreatedAt time.Time
}

// User is a person of an organisation. Username is unique over all organisations, since login names
// nothing else.
type User struct {
	Org          OrgID
	ID           UserID
	Username     string
	FullName     string
	Role         Role
	PasswordHash string // Argon2id, PHC string
	Disabled     bool
	// Generation counts the changes that revoke every token of the user: disabling, another role,
	// another password.
	Generation int64
	Version    int64 // counts changes, for If-Match
	CreatedAt  time.Time
	Creation   []byte // fingerprint of the request that created it
}

// RefreshToken is one token of a refresh family. The server stores only the hash of the token.
type RefreshToken struct {
	Hash      []byte // SHA-256 of the token
	Org       OrgID
	User      UserID
	Family    string // all tokens that descend from one login
	IssuedAt  time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero until it is exchanged; a second use revokes the family
	Revoked   bool
	// RetryKey and RetryAnswer let a client retry the exchange for 60 s: the Idempotency-Key of the
	// exchange, and the encrypted response.
	RetryKey    string
	RetryAnswer []byte
}

// Revocation revokes access tokens, on every node within one second: those of Family or, if that is
// "", those of User up to and including Generation.
type Revocation struct {
	Seq        int64 // order of arrival, assigned by the store
	Family     string
	Org        OrgID
	User       UserID
	Generation int64
	ExpiresAt  time.Time // when the last token that it revokes has expired
}
