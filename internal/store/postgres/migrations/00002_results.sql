-- +goose Up

-- The log of a session: batches of changes and changes of status. All other tables of this file follow from it.
CREATE TABLE batches (
  org             TEXT COLLATE "C" NOT NULL,
  session_id      TEXT COLLATE "C" NOT NULL,
  seq             BIGINT NOT NULL,
  kind            TEXT COLLATE "C" NOT NULL,
  actor           TEXT COLLATE "C" NOT NULL,
  number          BIGINT NOT NULL,
  batch_id        TEXT COLLATE "C" NOT NULL,
  prev_batch_id   TEXT COLLATE "C" NOT NULL,
  content         BYTEA,
  idempotency_key TEXT COLLATE "C" NOT NULL,
  user_id         TEXT COLLATE "C" NOT NULL,
  submitted_by    TEXT COLLATE "C" NOT NULL,
  client          TEXT COLLATE "C" NOT NULL,
  client_type     TEXT COLLATE "C" NOT NULL,
  captured_at     BIGINT NOT NULL,
  sent_at         BIGINT NOT NULL,
  received_at     BIGINT NOT NULL,
  context         TEXT COLLATE "C" NOT NULL,
  changes         TEXT COLLATE "C" NOT NULL,
  outcomes        TEXT COLLATE "C" NOT NULL,
  flags           TEXT COLLATE "C" NOT NULL,
  prev            BYTEA,
  hash            BYTEA,
  merged_seq      BIGINT NOT NULL, -- 0 while late
  run_seq         BIGINT NOT NULL, -- 0 while not in its actor's run
  PRIMARY KEY (org, session_id, seq)
);
CREATE UNIQUE INDEX batches_actor ON batches (org, session_id, actor, number) WHERE kind = 'changes';
CREATE INDEX batches_key ON batches (org, session_id, actor, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX batches_run ON batches (org, session_id, actor, run_seq, number) WHERE run_seq > 0;
CREATE INDEX batches_late ON batches (org, session_id, seq) WHERE merged_seq = 0;

CREATE TABLE actors (
  org         TEXT COLLATE "C" NOT NULL,
  session_id  TEXT COLLATE "C" NOT NULL,
  id          TEXT COLLATE "C" NOT NULL,
  client      TEXT COLLATE "C" NOT NULL,
  client_type TEXT COLLATE "C" NOT NULL,
  user_id     TEXT COLLATE "C" NOT NULL,
  held        TEXT COLLATE "C" NOT NULL,
  merged      TEXT COLLATE "C" NOT NULL,
  run_seq     BIGINT NOT NULL,
  delivered   BIGINT NOT NULL,
  parent      TEXT COLLATE "C" NOT NULL,
  last_sync   BIGINT NOT NULL,
  PRIMARY KEY (org, session_id, id)
);
CREATE INDEX actors_user ON actors (org, session_id, user_id);

-- Operations. path is in the form of crdt.Pointer.Key: byte order is the order of a walk down the tree.
CREATE TABLE ops (
  org         TEXT COLLATE "C" NOT NULL,
  session_id  TEXT COLLATE "C" NOT NULL,
  path        TEXT COLLATE "C" NOT NULL,
  seq         BIGINT NOT NULL,
  idx         BIGINT NOT NULL,
  kind        TEXT COLLATE "C" NOT NULL,
  value       TEXT COLLATE "C" NOT NULL,
  names       TEXT COLLATE "C" NOT NULL,
  time        BIGINT NOT NULL,
  sum         BIGINT NOT NULL,
  contested   BOOLEAN NOT NULL,
  origin      TEXT COLLATE "C" NOT NULL,
  merged_seq  BIGINT NOT NULL,
  covered_seq BIGINT NOT NULL, -- 0 while live
  noted_seq   BIGINT NOT NULL, -- when a conflict at or above it last changed though it did not; 0 for never
  PRIMARY KEY (org, session_id, path, seq, idx)
);
-- What is live, by path, and what was covered when. It is not a partial index: until a new table has been analysed the planner
-- takes the primary key, which holds all that ever was at a path, for as good as one.
CREATE INDEX ops_live ON ops (org, session_id, covered_seq, path);
CREATE INDEX ops_contested ON ops (org, session_id, path) WHERE covered_seq = 0 AND contested;
CREATE INDEX ops_seq ON ops (org, session_id, seq);
CREATE INDEX ops_merged ON ops (org, session_id, merged_seq);
CREATE INDEX ops_noted ON ops (org, session_id, noted_seq) WHERE noted_seq > 0;

CREATE TABLE quarantine (
  org           TEXT COLLATE "C" NOT NULL,
  session_id    TEXT COLLATE "C" NOT NULL,
  fresh         TEXT COLLATE "C" NOT NULL,
  actor         TEXT COLLATE "C" NOT NULL,
  number        BIGINT NOT NULL,
  content       BYTEA,
  batch_id      TEXT COLLATE "C" NOT NULL,
  prev_batch_id TEXT COLLATE "C" NOT NULL,
  user_id       TEXT COLLATE "C" NOT NULL,
  received_at   BIGINT NOT NULL,
  changes       TEXT COLLATE "C" NOT NULL,
  reason        TEXT COLLATE "C" NOT NULL,
  hash          BYTEA,
  PRIMARY KEY (org, session_id, fresh)
);

-- +goose Down
DROP TABLE quarantine;
DROP TABLE ops;
DROP TABLE actors;
DROP TABLE batches;
