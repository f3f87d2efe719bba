-- +goose Up

-- The sessions that wait for somebody: few among many.
CREATE INDEX session_heads_open ON session_heads (org, session_id, conflicts, gaps) WHERE conflicts > 0 OR gaps > 0;

-- +goose Down
DROP INDEX session_heads_open;
