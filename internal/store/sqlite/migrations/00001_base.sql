-- Times are microseconds since the epoch, 0 for none. Nested values are JSON text. Every table has its organisation first.

-- +goose Up
CREATE TABLE organisations (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    org           TEXT    NOT NULL REFERENCES organisations (id),
    id            TEXT    NOT NULL,
    username      TEXT    NOT NULL,
    username_key  TEXT    NOT NULL, -- without case; unique over all organisations, since login names nothing else
    full_name     TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    disabled      INTEGER NOT NULL,
    generation    INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    creation      BLOB,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_username ON users (username_key);
CREATE INDEX users_created ON users (org, created_at, id);

CREATE TABLE refresh_tokens (
    hash         BLOB    NOT NULL PRIMARY KEY,
    org          TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    family       TEXT    NOT NULL,
    issued_at    INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER NOT NULL,
    revoked      INTEGER NOT NULL,
    retry_key    TEXT    NOT NULL,
    retry_answer BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_user ON refresh_tokens (org, user_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_answers ON refresh_tokens (used_at) WHERE retry_answer IS NOT NULL;

CREATE TABLE revocations (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- never used twice, also after the last row is deleted
    family     TEXT    NOT NULL,
    org        TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX revocations_expiry ON revocations (expires_at);

CREATE TABLE rules (
    org         TEXT    NOT NULL, -- '' for the shared catalogue
    code        TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    system      TEXT    NOT NULL,
    standard    TEXT    NOT NULL,
    section     TEXT    NOT NULL,
    frequencies TEXT    NOT NULL,
    rule_schema TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  TEXT    NOT NULL,
    creation    BLOB,
    PRIMARY KEY (org, code, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_deactivations (
    org            TEXT    NOT NULL,
    code           TEXT    NOT NULL,
    version        TEXT    NOT NULL,
    deactivated_at INTEGER NOT NULL,
    deactivated_by TEXT    NOT NULL,
    PRIMARY KEY (org, code, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_stamps (
    org   TEXT    NOT NULL PRIMARY KEY,
    stamp INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE buildings (
    org         TEXT    NOT NULL REFERENCES organisations (id),
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    name_key    TEXT    NOT NULL, -- without case and outer space
    address_key TEXT    NOT NULL,
    search      TEXT    NOT NULL, -- what the Text filter looks in, without case
    metadata    TEXT    NOT NULL,
    owners      TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    creation    BLOB,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX buildings_name_address ON buildings (org, name_key, address_key);
CREATE INDEX buildings_created ON buildings (org, created_at, id);

CREATE TABLE building_owners (
    org         TEXT    NOT NULL,
    owner       TEXT    NOT NULL,
    building_id TEXT    NOT NULL,
    created_at  INTEGER NOT NULL, -- of the building
    PRIMARY KEY (org, owner, created_at, building_id),
    FOREIGN KEY (org, building_id) REFERENCES buildings (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX building_owners_building ON building_owners (org, building_id);

CREATE TABLE assets (
    org                TEXT    NOT NULL,
    building_id        TEXT    NOT NULL,
    id                 TEXT    NOT NULL,
    type               TEXT    NOT NULL,
    description        TEXT    NOT NULL,
    system             TEXT    NOT NULL,
    level              TEXT    NOT NULL,
    location           TEXT    NOT NULL,
    make               TEXT    NOT NULL,
    model              TEXT    NOT NULL,
    serial             TEXT    NOT NULL,
    manufactured       TEXT    NOT NULL,
    installed          TEXT    NOT NULL,
    last_pressure_test TEXT    NOT NULL,
    barcode            TEXT    NOT NULL,
    status             TEXT    NOT NULL,
    notes              TEXT    NOT NULL,
    baselines          TEXT    NOT NULL,
    version            INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    search             TEXT    NOT NULL,
    PRIMARY KEY (org, building_id, id),
    FOREIGN KEY (org, building_id) REFERENCES buildings (org, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX assets_barcode ON assets (org, building_id, barcode) WHERE barcode <> '';

CREATE TABLE sessions (
    org          TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    building_id  TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    frequency    TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    technicians  TEXT    NOT NULL,
    item_count   INTEGER NOT NULL,
    check_count  INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT    NOT NULL,
    completed_at INTEGER NOT NULL,
    creation     BLOB,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, building_id) REFERENCES buildings (org, id)
) STRICT, WITHOUT ROWID;

-- One row for each list that a session stands in: viewer '*' for the list of all, '' for those that name nobody, and each
-- technician that it names. A list with any filter is a merge of ranges of the two indexes below.
CREATE TABLE session_technicians (
    org         TEXT    NOT NULL,
    session_id  TEXT    NOT NULL,
    viewer      TEXT    NOT NULL,
    building_id TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (org, session_id, viewer),
    FOREIGN KEY (org, session_id) REFERENCES sessions (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_technicians_list ON session_technicians (org, viewer, status, created_at, session_id);
CREATE INDEX session_technicians_building ON session_technicians (org, building_id, viewer, status, created_at, session_id);

CREATE TABLE session_heads (
    org         TEXT    NOT NULL,
    session_id  TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    hash        BLOB,
    epoch       INTEGER NOT NULL,
    secret      BLOB,
    changed_at  INTEGER NOT NULL,
    changed_seq INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    conflicts   INTEGER NOT NULL,
    gaps        INTEGER NOT NULL,
    batches     INTEGER NOT NULL,
    late        INTEGER NOT NULL,
    frontier BLOB,
    checkpoint TEXT NOT NULL,
    PRIMARY KEY (org, session_id),
    FOREIGN KEY (org, session_id) REFERENCES sessions (org, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
    org         TEXT    NOT NULL,
    session_id  TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    system      TEXT    NOT NULL,
    level       TEXT    NOT NULL,
    location    TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    listed      INTEGER NOT NULL,
    checks      TEXT    NOT NULL,
    baselines   TEXT    NOT NULL,
    last_result TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    missing     TEXT    NOT NULL,
    search      TEXT    NOT NULL,
    PRIMARY KEY (org, session_id, id),
    FOREIGN KEY (org, session_id) REFERENCES sessions (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX items_position ON items (org, session_id, position, id);

CREATE TABLE last_results (
    org          TEXT    NOT NULL,
    building_id  TEXT    NOT NULL,
    item_id      TEXT    NOT NULL,
    session_id   TEXT    NOT NULL,
    completed_at INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    measurements TEXT    NOT NULL,
    PRIMARY KEY (org, building_id, item_id),
    FOREIGN KEY (org, building_id) REFERENCES buildings (org, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE defects (
    org             TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    session_id      TEXT    NOT NULL,
    building_id     TEXT    NOT NULL,
    item_id         TEXT    NOT NULL,
    rule            TEXT    NOT NULL,
    version         TEXT    NOT NULL,
    condition       TEXT    NOT NULL,
    count           TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    class           TEXT    NOT NULL,
    classifications TEXT    NOT NULL,
    found_by        TEXT    NOT NULL,
    found_at        INTEGER NOT NULL,
    note            TEXT    NOT NULL,
    revision        INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, session_id) REFERENCES sessions (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX defects_found ON defects (org, found_at, id);
CREATE INDEX defects_building ON defects (org, building_id, found_at, id);
CREATE INDEX defects_session ON defects (org, session_id, found_at, id);

CREATE TABLE audit (
    org     TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    user_id TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    data    BLOB,
    prev    BLOB,
    hash    BLOB,
    PRIMARY KEY (org, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX audit_id ON audit (org, id);
CREATE INDEX audit_user ON audit (org, user_id, seq);

CREATE TABLE answers (
    scope           TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    fingerprint     BLOB,
    result          BLOB,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (scope, idempotency_key)
) STRICT;
CREATE INDEX answers_created ON answers (created_at);
