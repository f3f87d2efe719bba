package main

import (
	"bytes"
	"database/sql"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommands_NewerSchema_Error(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	command := func(args ...string) error {
		return run(t.Context(), append(args, "--data", dir), nil, strings.NewReader(""), io.Discard, io.Discard)
	}
	if err := command("migrate", "up"); err != nil {
		t.Fatal(err)
	}
	pretendNewer(t, filepath.Join(dir, "firemode.db"))
	for _, args := range [][]string{{"serve", "--addr", "127.0.0.1:0"}, {"org", "list"}, {"migrate", "up"}} {
		err := command(args...)
		if err == nil ||
			!strings.Contains(err.Error(), "the database is at schema version 99999 and this binary knows only") {
			t.Errorf("%s returned %v", strings.Join(args, " "), err)
		}
	}
}

func TestServe_DatabaseUnreachable_Error(t *testing.T) {
	t.Parallel()
	var stdout bytes.Buffer
	args := []string{
		"serve",
		"--addr",
		"127.0.0.1:0",
		"--data",
		t.TempDir(),
		"--db-url",
		"postgres://fm:hunter2@127.0.0.1:1/firemode",
	}
	err := run(t.Context(), args, nil, nil, &stdout, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "the database cannot be reached now") {
		t.Fatalf("run returned %v", err)
	}
	if strings.Contains(err.Error(), "hunter2") || stdout.Len() > 0 {
		t.Errorf("error %q, output %q", err, stdout.String())
	}
}

// pretendNewer records a migration that this binary does not know.
func pretendNewer(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)"); err != nil {
		t.Fatal(err)
	}
}
