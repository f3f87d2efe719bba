-- +goose Up

-- The format says by which rules the record of a session is derived from its log. Sessions made before this migration have format 1.
ALTER TABLE sessions ADD COLUMN format INTEGER NOT NULL DEFAULT 1;

-- +goose Down
ALTER TABLE sessions DROP COLUMN format;
