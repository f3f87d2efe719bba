-- +goose Up

-- A table without rowid reads the whole of a row, its changes included, for each comparison on the way to a key, and every operation
-- looks for its batch: with batches of thousands of changes that was nearly all the work there was. Here the key is an index of its
-- own, and what can be large stands behind what is asked for often.
CREATE TABLE batches_by_rowid (
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
  flags           TEXT    NOT NULL,
  prev            BLOB,
  hash            BLOB,
  merged_seq      INTEGER NOT NULL, -- 0 while late
  run_seq         INTEGER NOT NULL, -- 0 while not in its actor's run
  outcomes        TEXT    NOT NULL,
  changes         TEXT    NOT NULL,
  PRIMARY KEY (org, session_id, seq)
) STRICT;
INSERT INTO batches_by_rowid (org, session_id, seq, kind, actor, number, batch_id, prev_batch_id, content, idempotency_key, user_id, submitted_by,
  client, client_type, captured_at, sent_at, received_at, context, flags, prev, hash, merged_seq, run_seq, outcomes,
  changes)
  SELECT org, session_id, seq, kind, actor, number, batch_id, prev_batch_id, content, idempotency_key, user_id, submitted_by,
  client, client_type, captured_at, sent_at, received_at, context, flags, prev, hash, merged_seq, run_seq, outcomes,
  changes
  FROM batches ORDER BY org, session_id, seq;
DROP TABLE batches;
ALTER TABLE batches_by_rowid RENAME TO batches;
CREATE UNIQUE INDEX batches_actor ON batches (org, session_id, actor, number) WHERE kind = 'changes';
CREATE INDEX batches_key ON batches (org, session_id, actor, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX batches_run ON batches (org, session_id, actor, run_seq, number) WHERE run_seq > 0;
CREATE INDEX batches_late ON batches (org, session_id, seq) WHERE merged_seq = 0;

-- +goose Down
CREATE TABLE batches_without_rowid (
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
INSERT INTO batches_without_rowid (org, session_id, seq, kind, actor, number, batch_id, prev_batch_id, content, idempotency_key, user_id, submitted_by,
  client, client_type, captured_at, sent_at, received_at, context, flags, prev, hash, merged_seq, run_seq, outcomes,
  changes)
  SELECT org, session_id, seq, kind, actor, number, batch_id, prev_batch_id, content, idempotency_key, user_id, submitted_by,
  client, client_type, captured_at, sent_at, received_at, context, flags, prev, hash, merged_seq, run_seq, outcomes,
  changes
  FROM batches;
DROP TABLE batches;
ALTER TABLE batches_without_rowid RENAME TO batches;
CREATE UNIQUE INDEX batches_actor ON batches (org, session_id, actor, number) WHERE kind = 'changes';
CREATE INDEX batches_key ON batches (org, session_id, actor, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX batches_run ON batches (org, session_id, actor, run_seq, number) WHERE run_seq > 0;
CREATE INDEX batches_late ON batches (org, session_id, seq) WHERE merged_seq = 0;
