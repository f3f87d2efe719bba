-- Times are microseconds since the epoch, 0 for none. Nested values are JSON text. Every table has its organisation first. All
-- text is compared by its bytes, so that lists are in the same order whatever the locale of the cluster.

-- +goose Up
CREATE TABLE organisations (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    org           TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    id            TEXT COLLATE "C" NOT NULL,
    username      TEXT COLLATE "C" NOT NULL,
    username_key  TEXT COLLATE "C" NOT NULL, -- without case; unique over all organisations, since login names nothing else
    full_name     TEXT COLLATE "C" NOT NULL,
    role          TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    disabled      BOOLEAN NOT NULL,
    generation    BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    creation      BYTEA,
    PRIMARY KEY (org, id)
);
CREATE UNIQUE INDEX users_username ON users (username_key);
CREATE INDEX users_created ON users (org, created_at, id);

CREATE TABLE refresh_tokens (
    hash         BYTEA NOT NULL PRIMARY KEY,
    org          TEXT COLLATE "C" NOT NULL,
    user_id      TEXT COLLATE "C" NOT NULL,
    family       TEXT COLLATE "C" NOT NULL,
    issued_at    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    used_at      BIGINT NOT NULL,
    revoked      BOOLEAN NOT NULL,
    retry_key    TEXT COLLATE "C" NOT NULL,
    retry_answer BYTEA
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_user ON refresh_tokens (org, user_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_answers ON refresh_tokens (used_at) WHERE retry_answer IS NOT NULL;

CREATE TABLE revocations (
    seq        BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    family     TEXT COLLATE "C" NOT NULL,
    org        TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revocations_expiry ON revocations (expires_at);

CREATE TABLE rules (
    org         TEXT COLLATE "C" NOT NULL, -- '' for the shared catalogue
    code        TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    system      TEXT COLLATE "C" NOT NULL,
    standard    TEXT COLLATE "C" NOT NULL,
    section     TEXT COLLATE "C" NOT NULL,
    frequencies TEXT COLLATE "C" NOT NULL,
    rule_schema TEXT COLLATE "C" NOT NULL,
    note        TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT COLLATE "C" NOT NULL,
    creation    BYTEA,
    PRIMARY KEY (org, code, version)
);

CREATE TABLE rule_deactivations (
    org            TEXT COLLATE "C" NOT NULL,
    code           TEXT COLLATE "C" NOT NULL,
    version        TEXT COLLATE "C" NOT NULL,
    deactivated_at BIGINT NOT NULL,
    deactivated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, code, version)
);

CREATE TABLE rule_stamps (
    org   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    stamp BIGINT NOT NULL
);

CREATE TABLE buildings (
    org         TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    id          TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    address     TEXT COLLATE "C" NOT NULL,
    name_key    TEXT COLLATE "C" NOT NULL, -- without case and outer space
    address_key TEXT COLLATE "C" NOT NULL,
    search      TEXT COLLATE "C" NOT NULL, -- what the Text filter looks in, without case
    metadata    TEXT COLLATE "C" NOT NULL,
    owners      TEXT COLLATE "C" NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    creation    BYTEA,
    PRIMARY KEY (org, id)
);
CREATE UNIQUE INDEX buildings_name_address ON buildings (org, name_key, address_key);
CREATE INDEX buildings_created ON buildings (org, created_at, id);

CREATE TABLE building_owners (
    org         TEXT COLLATE "C" NOT NULL,
    owner       TEXT COLLATE "C" NOT NULL,
    building_id TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL, -- of the building
    PRIMARY KEY (org, owner, created_at, building_id),
    FOREIGN KEY (org, building_id) REFERENCES buildings (org, id)
);
CREATE INDEX building_owners_building ON building_owners (org, building_id);

CREATE TABLE assets (
    org                TEXT COLLATE "C" NOT NULL,
    building_id        TEXT COLLATE "C" NOT NULL,
    id                 TEXT COLLATE "C" NOT NULL,
    type               TEXT COLLATE "C" NOT NULL,
    description        TEXT COLLATE "C" NOT NULL,
    system             TEXT COLLATE "C" NOT NULL,
    level              TEXT COLLATE "C" NOT NULL,
    location           TEXT COLLATE "C" NOT NULL,
    make               TEXT COLLATE "C" NOT NULL,
    model              TEXT COLLATE "C" NOT NULL,
    serial             TEXT COLLATE "C" NOT NULL,
    manufactured       TEXT COLLATE "C" NOT NULL,
    installed          TEXT COLLATE "C" NOT NULL,
    last_pressure_test TEXT COLLATE "C" NOT NULL,
    barcode            TEXT COLLATE "C" NOT NULL,
    status             TEXT COLLATE "C" NOT NULL,
    notes              TEXT COLLATE "C" NOT NULL,
    baselines          TEXT COLLATE "C" NOT NULL,
    version            BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    search             TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, building_id, id),
    FOREIGN KEY (org, building_id) REFERENCES buildings (org, id)
);
CREATE UNIQUE INDEX assets_barcode ON assets (org, building_id, barcode) WHERE barcode <> '';

CREATE TABLE sessions (
    org          TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    building_id  TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    frequency    TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,
    technicians  TEXT COLLATE "C" NOT NULL,
    item_count   BIGINT NOT NULL,
    check_count  BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT COLLATE "C" NOT NULL,
    completed_at BIGINT NOT NULL,
    creation     BYTEA,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, building_id) REFERENCES buildings (org, id)
);

-- One row for each list that a session stands in: viewer '*' for the list of all, '' for those that name nobody, and each
-- technician that it names. A list with any filter is a merge of ranges of the two indexes below.
CREATE TABLE session_technicians (
    org         TEXT COLLATE "C" NOT NULL,
    session_id  TEXT COLLATE "C" NOT NULL,
    viewer      TEXT COLLATE "C" NOT NULL,
    building_id TEXT COLLATE "C" NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (org, session_id, viewer),
    FOREIGN KEY (org, session_id) REFERENCES sessions (org, id)
);
CREATE INDEX session_technicians_list ON session_technicians (org, viewer, status, created_at, session_id);
CREATE INDEX session_technicians_building ON session_technicians (org, building_id, viewer, status, created_at, session_id);

CREATE TABLE session_heads (
    org         TEXT COLLATE "C" NOT NULL,
    session_id  TEXT COLLATE "C" NOT NULL,
    seq         BIGINT NOT NULL,
    hash        BYTEA,
    epoch       BIGINT NOT NULL,
    secret      BYTEA,
    changed_at  BIGINT NOT NULL,
    changed_seq BIGINT NOT NULL,
    done        BIGINT NOT NULL,
    conflicts   BIGINT NOT NULL,
    gaps        BIGINT NOT NULL,
    batches     BIGINT NOT NULL,
    late        BIGINT NOT NULL,
    frontier BYTEA,
    checkpoint TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, session_id),
    FOREIGN KEY (org, session_id) REFERENCES sessions (org, id)
);

CREATE TABLE items (
    org         TEXT COLLATE "C" NOT NULL,
    session_id  TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    type        TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    system      TEXT COLLATE "C" NOT NULL,
    level       TEXT COLLATE "C" NOT NULL,
    location    TEXT COLLATE "C" NOT NULL,
    position    BIGINT NOT NULL,
    listed      BOOLEAN NOT NULL,
    checks      TEXT COLLATE "C" NOT NULL,
    baselines   TEXT COLLATE "C" NOT NULL,
    last_result TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    outcome     TEXT COLLATE "C" NOT NULL,
    missing     TEXT COLLATE "C" NOT NULL,
    search      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, session_id, id),
    FOREIGN KEY (org, session_id) REFERENCES sessions (org, id)
);
CREATE INDEX items_position ON items (org, session_id, position, id);

CREATE TABLE last_results (
    org          TEXT COLLATE "C" NOT NULL,
    building_id  TEXT COLLATE "C" NOT NULL,
    item_id      TEXT COLLATE "C" NOT NULL,
    session_id   TEXT COLLATE "C" NOT NULL,
    completed_at BIGINT NOT NULL,
    outcome      TEXT COLLATE "C" NOT NULL,
    measurements TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org, building_id, item_id),
    FOREIGN KEY (org, building_id) REFERENCES buildings (org, id)
);

CREATE TABLE defects (
    org             TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    session_id      TEXT COLLATE "C" NOT NULL,
    building_id     TEXT COLLATE "C" NOT NULL,
    item_id         TEXT COLLATE "C" NOT NULL,
    rule            TEXT COLLATE "C" NOT NULL,
    version         TEXT COLLATE "C" NOT NULL,
    condition       TEXT COLLATE "C" NOT NULL,
    count           TEXT COLLATE "C" NOT NULL,
    status          TEXT COLLATE "C" NOT NULL,
    class           TEXT COLLATE "C" NOT NULL,
    classifications TEXT COLLATE "C" NOT NULL,
    found_by        TEXT COLLATE "C" NOT NULL,
    found_at        BIGINT NOT NULL,
    note            TEXT COLLATE "C" NOT NULL,
    revision        BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, session_id) REFERENCES sessions (org, id)
);
CREATE INDEX defects_found ON defects (org, found_at, id);
CREATE INDEX defects_building ON defects (org, building_id, found_at, id);
CREATE INDEX defects_session ON defects (org, session_id, found_at, id);

CREATE TABLE audit (
    org     TEXT COLLATE "C" NOT NULL,
    seq     BIGINT NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    action  TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    data    BYTEA,
    prev    BYTEA,
    hash    BYTEA,
    PRIMARY KEY (org, seq)
);
CREATE UNIQUE INDEX audit_id ON audit (org, id);
CREATE INDEX audit_user ON audit (org, user_id, seq);

-- The end of each organisation's log: the row that writers of the log lock.
CREATE TABLE audit_heads (
    org  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    seq  BIGINT NOT NULL,
    hash BYTEA
);

CREATE TABLE answers (
    scope           TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    fingerprint     BYTEA,
    result          BYTEA,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (scope, idempotency_key)
);
CREATE INDEX answers_created ON answers (created_at);
