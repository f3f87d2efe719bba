package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestOpen_NewFolder_KeysWithNarrowPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "keys")
	first := open(t, dir)
	if !same(first, open(t, dir)) {
		t.Error("a second Open has other keys")
	}
	if same(first, open(t, filepath.Join(t.TempDir(), "keys"))) {
		t.Error("another folder has the same keys")
	}
	want := map[string]fs.FileMode{dir: 0o700}
	for _, name := range []string{tokenFile, cursorFile, answerFile, historyFile} {
		want[filepath.Join(dir, name)] = 0o600
	}
	for path, mode := range want {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode {
			t.Errorf("%s: mode %04o, want %04o", path, got, mode)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 4 {
		t.Errorf("folder holds %v, want only the four keys", entries)
	}
	if bytes.Equal(first.Cursor(), first.Token().Seed()) {
		t.Error("two keys are the same")
	}
}

func TestOpen_KeyMissing_Created(t *testing.T) {
	dir := t.TempDir()
	before := open(t, dir)
	if err := os.Remove(filepath.Join(dir, cursorFile)); err != nil {
		t.Fatal(err)
	}
	after := open(t, dir)
	if !before.Token().Equal(after.Token()) || bytes.Equal(before.Cursor(), after.Cursor()) {
		t.Error("want the token key kept and a new cursor key")
	}
}

func TestOpen_UnsafeOrDamaged_Error(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, dir string) error
		want  string
	}{
		"a key its group may read": {
			func(_ *testing.T, dir string) error { return os.Chmod(filepath.Join(dir, tokenFile), 0o640) },
			"token.pem has permissions 0640: other users could have read it",
		},
		"a folder others may write": {
			func(_ *testing.T, dir string) error { return os.Chmod(dir, 0o770) },
			"has permissions 0770: other users could replace the keys in it",
		},
		"a key that is cut short": {
			func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, answerFile), 40) },
			"answer.pem is not a FIREMODE SECRET KEY of 32 bytes in PEM",
		},
		"a secret of another size": {
			func(_ *testing.T, dir string) error {
				text := "-----BEGIN FIREMODE SECRET KEY-----\nAAAA\n-----END FIREMODE SECRET KEY-----\n"
				return os.WriteFile(filepath.Join(dir, cursorFile), []byte(text), 0o600)
			},
			"cursor.pem is not a FIREMODE SECRET KEY of 32 bytes in PEM",
		},
		"a file in place of the folder": {
			func(_ *testing.T, dir string) error {
				if err := os.RemoveAll(dir); err != nil {
					return err
				}
				return os.WriteFile(dir, nil, 0o600)
			},
			"keys folder: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			open(t, dir)
			if err := tc.spoil(t, dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestFormat_AnyVerb_Hidden(t *testing.T) {
	k := open(t, t.TempDir())
	//lint:ignore SA9005 the test is that nothing is encoded
	encoded, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%v %+v %#v %s %x %s", k, k, k, k, k, encoded)
	const hidden = "keys.Keys(hidden) "
	if want := strings.Repeat(hidden, 5) + "{}"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// The test binary runs itself, because processes and not only goroutines race for a new folder.
func TestOpen_ConcurrentProcesses_SameKeys(t *testing.T) {
	const env = "FIREMODE_KEYS_TEST_DIR"
	if dir := os.Getenv(env); dir != "" {
		k := open(t, dir)
		fmt.Printf("keys %x %x\n", k.Token().Seed(), k.Cursor())
		return
	}
	dir := filepath.Join(t.TempDir(), "keys")
	printed := make([]string, 6)
	var wg sync.WaitGroup
	for i := range printed {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestOpen_ConcurrentProcesses_SameKeys$")
			cmd.Env = append(os.Environ(), env+"="+dir)
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("process %d: %v", i, err)
			}
			printed[i], _, _ = strings.Cut(string(out), "\n")
		})
	}
	wg.Wait()
	k := open(t, dir)
	want := fmt.Sprintf("keys %x %x", k.Token().Seed(), k.Cursor())
	for i, got := range printed {
		if got != want {
			t.Errorf("process %d printed %q, the folder holds %q", i, got, want)
		}
	}
}

func TestOpen_ConcurrentGoroutines_SameKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	opened := make([]*Keys, 16)
	var wg sync.WaitGroup
	for i := range opened {
		wg.Go(func() {
			k, err := Open(dir)
			if err != nil {
				t.Errorf("open %d: %v", i, err)
			}
			opened[i] = k
		})
	}
	wg.Wait()
	for i, k := range opened {
		if !same(opened[0], k) {
			t.Errorf("open %d has other keys", i)
		}
	}
}

func open(t *testing.T, dir string) *Keys {
	t.Helper()
	k, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func same(a, b *Keys) bool {
	sealed := a.Responses().Seal(nil, nil, []byte("answer"), nil)
	plain, err := b.Responses().Open(nil, nil, sealed, nil)
	return a.Token().Equal(b.Token()) && bytes.Equal(a.Cursor(), b.Cursor()) && err == nil && string(plain) == "answer"
}
