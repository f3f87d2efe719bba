package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"firemode/internal/store/storetest/pgtest"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "firemode-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "firemode")
	build := exec.Command("go", "build", "-o", binary, "firemode/cmd/firemode")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "go build:", err)
		return 1
	}
	return pgtest.Main(m)
}

// onEachEngine runs a test on SQLite and on PostgreSQL. storage is the flags that choose the engine and an empty data folder.
func onEachEngine(t *testing.T, test func(t *testing.T, storage []string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, []string{"--data", t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { test(t, []string{"--data", t.TempDir(), "--db-url", pgtest.New(t)}) })
}
