package upgrade

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"

	"firemode/internal/store/storetest/pgtest"
)

// fixture is an archive with a database of release 1 and what release 1 answered from it.
type fixture struct {
	archive  string
	open     func(t *testing.T, dir string) database // of the archive unpacked in dir
	sessions []string                                // those of the organisation demo that answers are about
	verified string                                  // what firemode verify ends with
	recorded map[string]int                          // how many rows have the tables of what was recorded
}

var onSQLite = fixture{
	archive:  "data-v1.tar.zst",
	open:     openSQLite,
	sessions: []string{"123", "six-monthly-1", "yearly-1"},
	verified: "verified 10 sessions with 255 log entries: 0 differences",
	recorded: map[string]int{
		"actors": 29, "audit": 230, "audit_heads": 3, "batches": 255, "defects": 16, "ops": 1129,
		"quarantine": 4, "session_heads": 10,
	},
}

var onPostgres = fixture{
	archive:  "postgres-v1.tar.zst",
	open:     openPostgres,
	sessions: []string{"123", "boat-shed-1", "boat-shed-2", "six-monthly-1", "yearly-1"},
	verified: "verified 6 sessions with 77 log entries: 0 differences",
	recorded: map[string]int{
		"actors": 16, "audit": 251, "audit_heads": 3, "batches": 77, "defects": 18, "ops": 1224,
		"quarantine": 1, "session_heads": 6,
	},
}

// asked says what release 1 was asked: the name of each answer in the archive, and its path.
func (f fixture) asked() map[string]string {
	paths := map[string]string{"defects.json": "/v1/defects"}
	for _, session := range f.sessions {
		paths["results-"+session+".json"] = "/v1/tests/sessions/" + session + "/results"
		paths["status-"+session+".json"] = "/v1/tests/sessions/" + session + "/sync_status"
	}
	return paths
}

// restore unpacks the archive into a folder and a database of the test's own.
func (f fixture) restore(t *testing.T) database {
	t.Helper()
	dir := t.TempDir()
	unpack(t, filepath.Join("testdata", f.archive), dir)
	db := f.open(t, dir)
	db.want = make(map[string][]byte)
	files, err := os.ReadDir(filepath.Join(dir, "want"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if db.want[file.Name()], err = os.ReadFile(filepath.Join(dir, "want", file.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func openSQLite(_ *testing.T, dir string) database {
	data := filepath.Join(dir, "data")
	return database{storage: []string{"--data", data}, rows: sqliteRows{filepath.Join(data, "firemode.db")}}
}

func openPostgres(t *testing.T, dir string) database {
	t.Helper()
	url := pgtest.Empty(t)
	psql := exec.CommandContext(t.Context(), filepath.Join(toolsOf(t, url), "psql"), "--no-psqlrc", "--quiet",
		"--output="+os.DevNull, "--set=ON_ERROR_STOP=1", "--single-transaction",
		"--file="+filepath.Join(dir, "dump.sql"), url)
	if out, err := psql.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	keys, data := filepath.Join(dir, "keys"), filepath.Join(dir, "data")
	return database{storage: []string{"--data", data, "--keys", keys, "--db-url", url}, rows: postgresRows{url}}
}

// toolsOf is where Debian keeps psql and its like, of the version that serves at url.
func toolsOf(t *testing.T, url string) string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var version int
	err = c.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int / 10000").Scan(&version)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/usr/lib/postgresql/%d/bin", version)
}

// unpack writes the files of a tar archive, compressed with zstd, below dir.
func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := zstd.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for entries := tar.NewReader(plain); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = write(root, entry, entries)
		}
		if err != nil {
			t.Fatalf("%s: %v", archive, err)
		}
	}
}

func write(root *os.Root, entry *tar.Header, content io.Reader) error {
	switch entry.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(filepath.Clean(entry.Name), 0o700)
	case tar.TypeReg:
		whole, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		return root.WriteFile(filepath.Clean(entry.Name), whole, 0o600)
	default:
		return fmt.Errorf("%s is neither a file nor a folder", entry.Name)
	}
}
