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

func TestExtract_SameFilesAsWritten(t *testing.T) {
	file, written := archive(t)
	dir := t.TempDir()
	m, err := Extract(bytes.NewReader(file), dir)
	must(t, err)
	if diff := cmp.Diff(written, m); diff != "" {
		t.Errorf("the manifest (-written +read)\n%s", diff)
	}
	sum := sha256.Sum256([]byte("the rows"))
	if want := (File{"firemode.db", 8, hex.EncodeToString(sum[:])}); m.Format != 1 || len(m.Files) != 2 ||
		m.Files[0] != want {
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

// A damaged archive is refused, or gives the original files: the padding and some fields of a tar
// carry no data.
func TestExtract_DamagedArchive_ErrorOrOriginalFiles(t *testing.T) {
	file, _ := archive(t)
	holds := func(dir string) bool {
		rows, _ := os.ReadFile(filepath.Join(dir, "firemode.db"))
		key, _ := os.ReadFile(filepath.Join(dir, "keys", "history.pem"))
		return string(rows) == "the rows" && string(key) == "a secret"
	}
	refused, tried := 0, 0
	for at := 0; at < len(file); at += 11 { // the step is prime, so that every kind of field is hit
		tried++
		altered := bytes.Clone(file)
		altered[at] ^= 1
		dir := t.TempDir()
		if _, err := Extract(bytes.NewReader(altered), dir); err != nil {
			refused++
		} else if !holds(dir) {
			t.Errorf("with byte %d flipped the files differ", at)
		}
	}
	if refused < tried/4 {
		t.Errorf("of %d altered bytes only %d were refused", tried, refused)
	}
	for _, size := range []int{0, 1, 511, 512, 1024, 1536, 2048, 2560} {
		if _, err := Extract(bytes.NewReader(file[:size]), t.TempDir()); err == nil {
			t.Errorf("the first %d bytes are accepted as a backup", size)
		}
	}
}

func TestExtract_ForeignArchive_Error(t *testing.T) {
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
	manifest := func(text string) func(*tar.Writer) { return entry("manifest.json", text) }
	of := func(entries ...func(*tar.Writer)) []func(*tar.Writer) { return entries }
	const twice = `{"name": "a", "size": 0, "sha256": "` + empty + `"}`
	for name, c := range map[string]struct {
		entries []func(*tar.Writer)
		wrong   string
	}{
		"nothing":                 {nil, "not a backup of FireMode"},
		"no manifest":             {of(entry("a", "")), "not a backup of FireMode"},
		"a manifest that is none": {of(manifest("x")), "manifest.json: invalid"},
		"a newer format":          {of(manifest(`{"format": 2}`)), "format 2"},
		"a field from later":      {of(manifest(`{"format": 1, "more": 1}`)), "unknown field"},
		"a file too few":          {of(manifest(list("a"))), "incomplete backup: a"},
		"another file":            {of(manifest(list("a")), entry("b", "")), `found "b", expected "a"`},
		"a file too many":         {of(manifest(list("a")), entry("a", ""), entry("b", "")), "data after the last file"},
		"another size":            {of(manifest(list("a")), entry("a", "x")), `found "a", expected "a"`},
		"a name outside":          {of(manifest(list("../a")), entry("../a", "")), `"../a" is not a relative path`},
		"an absolute name":        {of(manifest(list("/a")), entry("/a", "")), `"/a" is not a relative path`},
		"a name twice": {of(
			manifest(`{"format": 1, "files": [`+twice+`, `+twice+`]}`),
			entry("a", ""), entry("a", ""),
		), "file exists"},
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

var made = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// archive returns an archive of two small files.
func archive(t *testing.T) ([]byte, Manifest) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("the rows"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "b"), []byte("a secret"), 0o600))
	var out bytes.Buffer
	m, err := Write(
		&out, Manifest{MadeAt: made, Version: "v1", Schema: 2},
		[]Source{{"firemode.db", filepath.Join(dir, "a")}, {"keys/history.pem", filepath.Join(dir, "b")}},
	)
	must(t, err)
	return out.Bytes(), m
}
