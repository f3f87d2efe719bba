package e2e

import (
	"fmt"
	"os"
	"testing"

	"firemode/internal/store/storetest/pgtest"
	"firemode/test/binary"
)

// program is the path of the executable under test.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "firemode-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if program, err = binary.Path(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return pgtest.Main(m)
}

// onEachEngine runs a test on SQLite and on PostgreSQL in parallel. storage is the flags that
// choose the engine and an empty data folder.
func onEachEngine(t *testing.T, test func(t *testing.T, storage []string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, []string{"--data", t.TempDir()})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, []string{"--data", t.TempDir(), "--db-url", pgtest.New(t)})
	})
}
