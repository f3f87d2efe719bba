-- +goose Up

-- The log of a session: batches of changes and changes of status. All other tables of this file follow from it.
CREATE TABLE batches (
  org             TEXT    NOT NULL,
  session_id      TEXT    NOT NULL,
  seq             INTEGER NOT NULL,
  kind            TEXT    NOT NULL,
  actor           TEXT    NOT NULL,
  number          INTEGER NOT NULL,
  batch_id        TEXT    NOT NULL,
  prev_batch_id   TEXT    NOT NULL,
  content         BLOB,
  idempotency_key TEXT    NOT NULL,
  user_id         TEXT    NOT NULL,
  submitted_by    TEXT    NOT NULL,
  client          TEXT    NOT NULL,
  client_type     TEXT    NOT NULL,
  captured_at     INTEGER NOT NULL,
  sent_at         INTEGER NOT NULL,
  received_at     INTEGER NOT NULL,
  context         TEXT    NOT NULL,
  changes         TEXT    NOT NULL,
  outcomes        TEXT    NOT NULL,
  flags           TEXT    NOT NULL,
  prev            BLOB,
  hash            BLOB,
  merged_seq      INTEGER NOT NULL, -- 0 while late
  run_seq         INTEGER NOT NULL, -- 0 while not in its actor's run
  PRIMARY KEY (org, session_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX batches_actor ON batches (org, session_id, actor, number) WHERE kind = 'changes';
CREATE INDEX batches_key ON batches (org, session_id, actor, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX batches_run ON batches (org, session_id, actor, run_seq, number) WHERE run_seq > 0;
CREATE INDEX batches_late ON batches (org, session_id, seq) WHERE merged_seq = 0;

CREATE TABLE actors (
  org         TEXT    NOT NULL,
  session_id  TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  client      TEXT    NOT NULL,
  client_type TEXT    NOT NULL,
  user_id     TEXT    NOT NULL,
  held        TEXT    NOT NULL,
  merged      TEXT    NOT NULL,
  run_seq     INTEGER NOT NULL,
  delivered   INTEGER NOT NULL,
  parent      TEXT    NOT NULL,
  last_sync   INTEGER NOT NULL,
  PRIMARY KEY (org, session_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX actors_user ON actors (org, session_id, user_id);

-- Operations. path is in the form of crdt.Pointer.Key: byte order is the order of a walk down the tree.
CREATE TABLE ops (
  org         TEXT    NOT NULL,
  session_id  TEXT    NOT NULL,
  path        TEXT    NOT NULL,
  seq         INTEGER NOT NULL,
  idx         INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  value       TEXT    NOT NULL,
  names       TEXT    NOT NULL,
  time        INTEGER NOT NULL,
  sum         INTEGER NOT NULL,
  contested   INTEGER NOT NULL,
  origin      TEXT    NOT NULL,
  merged_seq  INTEGER NOT NULL,
  covered_seq INTEGER NOT NULL, -- 0 while live
  noted_seq   INTEGER NOT NULL, -- when a conflict at or above it last changed though it did not; 0 for never
  PRIMARY KEY (org, session_id, path, seq, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX ops_live ON ops (org, session_id, path) WHERE covered_seq = 0;
CREATE INDEX ops_contested ON ops (org, session_id, path) WHERE covered_seq = 0 AND contested <> 0;
CREATE INDEX ops_seq ON ops (org, session_id, seq);
CREATE INDEX ops_merged ON ops (org, session_id, merged_seq);
CREATE INDEX ops_covered ON ops (org, session_id, covered_seq) WHERE covered_seq > 0;
CREATE INDEX ops_noted ON ops (org, session_id, noted_seq) WHERE noted_seq > 0;

CREATE TABLE quarantine (
  org           TEXT    NOT NULL,
  session_id    TEXT    NOT NULL,
  fresh         TEXT    NOT NULL,
  actor         TEXT    NOT NULL,
  number        INTEGER NOT NULL,
  content       BLOB,
  batch_id      TEXT    NOT NULL,
  prev_batch_id TEXT    NOT NULL,
  user_id       TEXT    NOT NULL,
  received_at   INTEGER NOT NULL,
  changes       TEXT    NOT NULL,
  reason        TEXT    NOT NULL,
  hash          BLOB,
  PRIMARY KEY (org, session_id, fresh)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE quarantine;
DROP TABLE ops;
DROP TABLE actors;
DROP TABLE batches;
