package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"firemode/internal/app"
	"firemode/internal/rules"
)

func TestVerify_AlteredItem_ReportedAndExits1(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, app.Use(t.Context(), app.Storage{Data: dir}, time.Now, func(s *app.Services) error {
		return s.FillDemo(context.WithoutCancel(t.Context()), func(string) {})
	}))
	db, err := sql.Open("sqlite", filepath.Join(dir, "firemode.db"))
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(),
		"UPDATE items SET name = 'another' WHERE org = 'demo' AND session_id = '123' AND id = 'FE-001'")
	must(t, err)
	shipped, err := rules.Catalogue()
	must(t, err)
	for session, want := range map[string]string{
		"123":      "DIFFERS demo session 123, items",
		"yearly-1": "verified 1 sessions",
	} {
		var printed bytes.Buffer
		args := []string{"verify", "--data", dir, "--org", "demo", "--session", session}
		err := run(t.Context(), args, nil, nil, &printed, io.Discard)
		if differs := strings.HasPrefix(want, "DIFFERS"); (exitCode(err, io.Discard) == 1) != differs ||
			strings.Contains(printed.String(), "DIFFERS") != differs || !strings.Contains(printed.String(), want) {
			t.Errorf("session %s: error %v, printed\n%s", session, err, printed.String())
		}
		for _, org := range []string{"shared catalogue", "demo"} { // which sees the shared rules, and has none of its own
			line := fmt.Sprintf("\n%s: %d rule versions\n", org, len(shipped))
			if !strings.Contains("\n"+printed.String(), line) {
				t.Errorf("session %s: printed\n%s, want the line %q", session, printed.String(), line)
			}
		}
	}
}
