package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFileIsForItsOwnerAlone(t *testing.T) {
	s := newStore(t)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(s.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", suffix, info.Mode())
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	if _, err := Open(t.Context(), Config{}); err == nil {
		t.Error("no path: no error")
	}
	if _, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "nowhere", "x.db")}); !errors.Is(err,
		os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestNumber(t *testing.T) {
	for version, want := range map[string]int{"3.51.3": 3051003, "3.9.2": 3009002, "4.0.0": 4000000, "x": 0} {
		if got := number(version); got != want {
			t.Errorf("number(%q) = %d, want %d", version, got, want)
		}
	}
}
