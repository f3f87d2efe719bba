-- +goose Up

-- Where the audit log of each organisation ends: without it an entry that was taken off its end would not be missed.
CREATE TABLE audit_heads (
  org  TEXT    NOT NULL PRIMARY KEY,
  seq  INTEGER NOT NULL,
  hash BLOB
) STRICT, WITHOUT ROWID;
INSERT INTO audit_heads (org, seq, hash)
  SELECT org, seq, hash FROM audit a WHERE seq = (SELECT max(seq) FROM audit b WHERE b.org = a.org);

-- +goose Down
DROP TABLE audit_heads;
