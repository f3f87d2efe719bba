-- +goose Up

-- A batch asks for the defects of the items that it touches, among all that the session has.
CREATE INDEX defects_item ON defects (org, session_id, item_id);

-- +goose Down
DROP INDEX defects_item;
