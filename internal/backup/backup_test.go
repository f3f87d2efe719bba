package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var made = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// archive is one of two small files.
func archive(t *testing.T) ([]byte, Manifest) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("the rows"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "b"), []byte("a secret"), 0o600))
	var out bytes.Buffer
	m, err := Write(&out, Manifest{MadeAt: made, Version: "v1", Schema: 2}, []Source{{"firemode.db", filepath.Join(dir, "a")}, {"keys/history.pem", filepath.Join(dir, "b")}})
	must(t, err)
	return out.Bytes(), m
}

func TestWhatIsPutInComesOut(t *testing.T) {
	file, written := archive(t)
	dir := t.TempDir()
	m, err := Extract(bytes.NewReader(file), dir)
	must(t, err)
	if diff := cmp.Diff(written, m); diff != "" {
		t.Errorf("the manifest (-written +read)\n%s", diff)
	}
	sum := sha256.Sum256([]byte("the rows"))
	if want := (File{"firemode.db", 8, hex.EncodeToString(sum[:])}); m.Format != 1 || len(m.Files) != 2 || m.Files[0] != want {
		t.Errorf("the manifest is %+v", m)
	}
	for name, content := range map[string]string{"firemode.db": "the rows", "keys/history.pem": "a secret"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if string(got) != content || info.Mode().Perm() != 0o600 {
			t.Errorf("%s holds %q with permissions %o", name, got, info.Mode().Perm())
		}
	}
}

// A backup that was altered or cut off is refused, or gives what was put in: the padding and some fields of a tar carry nothing.
func TestDamagedBackups(t *testing.T) {
	file, _ := archive(t)
	holds := func(dir string) bool {
		rows, _ := os.ReadFile(filepath.Join(dir, "firemode.db"))
		key, _ := os.ReadFile(filepath.Join(dir, "keys", "history.pem"))
		return string(rows) == "the rows" && string(key) == "a secret"
	}
	refused, tried := 0, 0
	for at := 0; at < len(file); at += 11 { // a prime step meets every kind of field
		tried++
		altered := bytes.Clone(file)
		altered[at] ^= 1
		dir := t.TempDir()
		if _, err := Extract(bytes.NewReader(altered), dir); err != nil {
			refused++
		} else if !holds(dir) {
			t.Errorf("with byte %d flipped something else came out", at)
		}
	}
	if refused < tried/4 {
		t.Errorf("of %d bytes only %d count", tried, refused)
	}
	for _, size := range []int{0, 1, 511, 512, 1024, 1536, 2048, 2560} {
		if _, err := Extract(bytes.NewReader(file[:size]), t.TempDir()); err == nil {
			t.Errorf("the first %d bytes are taken for a backup", size)
		}
	}
}

func TestForeignArchives(t *testing.T) {
	entry := func(name, content string) func(*tar.Writer) {
		return func(w *tar.Writer) {
			must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}))
			_, err := w.Write([]byte(content))
			must(t, err)
		}
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	list := func(name string) string {
		return `{"format": 1, "files": [{"name": "` + name + `", "size": 0, "sha256": "` + empty + `"}]}`
	}
	for name, c := range map[string]struct {
		entries []func(*tar.Writer)
		wrong   string
	}{
		"nothing":                 {nil, "not a backup of FireMode"},
		"no manifest":             {[]func(*tar.Writer){entry("a", "")}, "not a backup of FireMode"},
		"a manifest that is none": {[]func(*tar.Writer){entry("manifest.json", "x")}, "manifest.json: invalid"},
		"a newer format":          {[]func(*tar.Writer){entry("manifest.json", `{"format": 2}`)}, "format 2"},
		"a field from later":      {[]func(*tar.Writer){entry("manifest.json", `{"format": 1, "more": 1}`)}, "unknown field"},
		"a file too few":          {[]func(*tar.Writer){entry("manifest.json", list("a"))}, "not a whole backup: a"},
		"another file":            {[]func(*tar.Writer){entry("manifest.json", list("a")), entry("b", "")}, `has "b" where "a" should be`},
		"a file too many":         {[]func(*tar.Writer){entry("manifest.json", list("a")), entry("a", ""), entry("b", "")}, "something comes after"},
		"another size":            {[]func(*tar.Writer){entry("manifest.json", list("a")), entry("a", "x")}, `has "a" where "a" should be`},
		"a name outside":          {[]func(*tar.Writer){entry("manifest.json", list("../a")), entry("../a", "")}, `"../a" is not a name below`},
		"an absolute name":        {[]func(*tar.Writer){entry("manifest.json", list("/a")), entry("/a", "")}, `"/a" is not a name below`},
		"a name twice": {[]func(*tar.Writer){
			entry("manifest.json", `{"format": 1, "files": [{"name": "a", "size": 0, "sha256": "`+empty+`"}, {"name": "a", "size": 0, "sha256": "`+empty+`"}]}`),
			entry("a", ""), entry("a", ""),
		}, "file exists"},
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			w := tar.NewWriter(&file)
			for _, add := range c.entries {
				add(w)
			}
			must(t, w.Close())
			if _, err := Extract(&file, t.TempDir()); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want %q", err, c.wrong)
			}
		})
	}
}
