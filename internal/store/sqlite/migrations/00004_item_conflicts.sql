-- +goose Up

-- How many conflicts are open at or below each item, so that its state follows without a look at all of it. tallied_seq is the number of the
-- log entry up to which they are kept: a binary that does not know of them leaves it behind, and they are then counted anew.
ALTER TABLE items ADD COLUMN conflicts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session_heads ADD COLUMN tallied_seq INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE session_heads DROP COLUMN tallied_seq;
ALTER TABLE items DROP COLUMN conflicts;
