package upgrade

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"firemode/internal/store/storetest/pgtest"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "firemode-upgrade-")
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

func TestUpgrade_Release1SQLite_AnswersAreByteEqual(t *testing.T) { answersAreByteEqual(t, onSQLite) }

func TestUpgrade_Release1PostgreSQL_AnswersAreByteEqual(t *testing.T) {
	answersAreByteEqual(t, onPostgres)
}

// answersAreByteEqual wants each answer of release 1 again, and that reading them changes nothing.
//
// Nothing is left out of the comparison. No answer has a time of reading in it: last_sync, received_at and updated_at
// are stored. Cursors (HMAC over the place in the log, no nonce), ids of conflicts and signed checkpoints (Ed25519)
// follow from what is stored and the keys, without any chance.
func answersAreByteEqual(t *testing.T, f fixture) {
	db := f.restore(t)
	migrate(t, db)
	verify(t, db, f.verified)
	manager := login(t, serve(t, db), "manager@demo")
	columns := columnsOf(t, db)
	maps.DeleteFunc(columns, func(table string, _ []string) bool {
		return f.recorded[table] == 0 // of other tables a server removes what has expired
	})
	before := contents(t, db, columns)

	for name, path := range f.asked() {
		sameAnswer(t, name, manager.get(path), db.want[name])
	}
	if got := slices.Sorted(maps.Keys(db.want)); !slices.Equal(got, slices.Sorted(maps.Keys(f.asked()))) {
		t.Errorf("the archive holds the answers %q, and not all of them were asked for", got)
	}
	sameContents(t, "reading the answers", before, contents(t, db, columns))
}

func TestUpgrade_Release1SQLite_StoredRowsAreByteEqual(t *testing.T) {
	storedRowsAreByteEqual(t, onSQLite)
}

func TestUpgrade_Release1PostgreSQL_StoredRowsAreByteEqual(t *testing.T) {
	storedRowsAreByteEqual(t, onPostgres)
}

// storedRowsAreByteEqual wants every value of every row of release 1 to be the same bytes after the migration: in log
// entries, operations, checkpoints and the audit log as in all other tables. What a migration adds, tables, columns and
// indexes, it may add. The order of rows in a table is not compared: a migration may copy a table into another form.
//
// No migration rewrites rows of release 1. 00006_batches_by_rowid.sql of SQLite, which wrote the log anew, is part of
// release 1, has been applied to its databases, and copied every column as it was. A later one that must change what
// follows from the log (items, defects, actors, the counts in session_heads) is to be excepted here, by column and with
// the reason. The columns of batches and audit that their hashes are over never can be, nor the signed checkpoints.
func storedRowsAreByteEqual(t *testing.T, f fixture) {
	db := f.restore(t)
	columns := columnsOf(t, db)
	before := contents(t, db, columns)
	for table, want := range f.recorded {
		if got := len(before[table]); got != want {
			t.Errorf("the archive has %d rows in %s, want %d", got, table, want)
		}
	}

	migrate(t, db)
	sameContents(t, "migrate up", before, contents(t, db, columns))
	verify(t, db, f.verified)
	sameContents(t, "verify", before, contents(t, db, columns))
}

func TestUpgrade_Release1SQLite_PhonesGoOn(t *testing.T)     { phonesGoOn(t, onSQLite) }
func TestUpgrade_Release1PostgreSQL_PhonesGoOn(t *testing.T) { phonesGoOn(t, onPostgres) }

// phonesGoOn wants a phone that was away during the upgrade to go on from the cursor that release 1 gave it, and what
// it sent to release 1 and sends again, since the answer was lost, to be a duplicate and to change nothing.
func phonesGoOn(t *testing.T, f fixture) {
	db := f.restore(t)
	migrate(t, db)
	tech2 := login(t, serve(t, db), "tech2@demo")

	for _, session := range f.sessions {
		var shown struct {
			Cursor string `json:"cursor"`
		}
		decode(t, db.want["results-"+session+".json"], &shown)
		var delta struct {
			Cursor    string            `json:"cursor"`
			Complete  bool              `json:"complete"`
			Document  json.RawMessage   `json:"document"`
			Conflicts []json.RawMessage `json:"conflicts"`
			Removed   []json.RawMessage `json:"removed"`
		}
		decode(t, tech2.get("/v1/tests/sessions/"+session+"/results?since="+shown.Cursor), &delta)
		nothing := string(delta.Document) == "{}" && len(delta.Conflicts)+len(delta.Removed) == 0
		if delta.Cursor != shown.Cursor || !delta.Complete || !nothing {
			t.Errorf("%s: from the cursor %s on there is %+v, want nothing", session, shown.Cursor, delta)
		}
	}

	changes := db.text(t, `SELECT changes FROM batches
		WHERE org = 'demo' AND session_id = 'yearly-1' AND actor = 'demo-tablet-2' AND number = 1`)
	var again struct {
		Applied    int               `json:"applied"`
		Duplicates int               `json:"duplicates"`
		Results    []json.RawMessage `json:"results"`
	}
	body := `{"changes":` + changes + `,"_sync_meta":{"client_id":"demo-tablet-2","batch_id":"demo-tablet-2-1",
		"vector_clock":{"demo-tablet-2":1}}}`
	decode(t, tech2.post("/v1/tests/sessions/yearly-1/results", "sent again", body), &again)
	const sent = 80
	if again.Applied != 0 || again.Duplicates != sent || len(again.Results) != sent {
		t.Errorf("of %d results %d were applied and %d are duplicates, want 0 and %d",
			len(again.Results), again.Applied, again.Duplicates, sent)
	}
	for _, name := range []string{"results-yearly-1.json", "status-yearly-1.json"} {
		sameAnswer(t, name, tech2.get(f.asked()[name]), db.want[name])
	}
}

// migrate brings the database to the schema of the program under test.
func migrate(t *testing.T, db database) {
	t.Helper()
	said := command(t, append([]string{"migrate", "up"}, db.storage...))
	if !regexp.MustCompile(`^the schema is at version \d+\n$`).MatchString(said) {
		t.Fatalf("migrate up says %q", said)
	}
}

// verify wants firemode verify to exit 0 and to end with the line want.
func verify(t *testing.T, db database, want string) {
	t.Helper()
	said := strings.TrimSuffix(command(t, append([]string{"verify"}, db.storage...)), "\n")
	if last := said[strings.LastIndexByte(said, '\n')+1:]; last != want {
		t.Fatalf("verify ends with %q, want %q:\n%s", last, want, said)
	}
}

// sameAnswer wants got to be want, and else shows where they part.
func sameAnswer(t *testing.T, name string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what release 1 answered: %s", name, parting(string(got), string(want)))
	}
}

// sameContents wants each table of before to hold the same rows after what was done.
func sameContents(t *testing.T, done string, before, after map[string][]string) {
	t.Helper()
	for _, table := range slices.Sorted(maps.Keys(before)) {
		was, is := before[table], after[table]
		if slices.Equal(was, is) {
			continue
		}
		at := common(was, is)
		row := func(rows []string) string { return strings.Join(rows[at:min(len(rows), at+1)], "") }
		t.Errorf("%s changes %s, which had %d rows and has %d; the first that differs is %.200s: %s",
			done, table, len(was), len(is), row(was), parting(row(is), row(was)))
	}
}

// parting shows got and want around the first byte in which they differ.
func parting(got, want string) string {
	at := common([]byte(got), []byte(want))
	around := func(s string) string { return s[max(0, at-100):min(len(s), at+100)] }
	return fmt.Sprintf("at byte %d\n got …%s…\nwant …%s…", at, around(got), around(want))
}

// common returns how many elements a and b have in common at their beginning.
func common[T comparable](a, b []T) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func decode(t *testing.T, body []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%v: %.500s", err, body)
	}
}
