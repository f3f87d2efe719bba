package app

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx", which alters stored rows
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"firemode"
	"firemode/internal/defects"
	"firemode/internal/record/ledger"
	"firemode/internal/record/verify"
	"firemode/internal/store"
	"firemode/internal/store/storetest/pgtest"
)

func TestVerify_AlterationOnSQLite_NamesTable(t *testing.T) {
	t.Parallel()
	clean := t.TempDir()
	w := newHistory(t, Storage{Data: clean})
	w.recordAll()
	wantNone(t, w.differences())
	file := filepath.Join(clean, databaseFile)
	plain := filepath.Join(t.TempDir(), "copy.db")
	must(t, w.Store.(interface {
		Backup(ctx context.Context, path string) error
	}).Backup(t.Context(), plain))
	d := openSQLite(t, file)
	checkTablesListed(t, d)
	for i, a := range alterations(d) {
		if !sampled(i, 12) {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			altered := filepath.Join(t.TempDir(), databaseFile)
			copyFile(t, plain, altered)
			a.do(openSQLite(t, altered))
			wantFound(t, Storage{Data: filepath.Dir(altered), Keys: filepath.Join(clean, "keys")}, a)
		})
	}
}

// Each alteration is undone before the next.
func TestVerify_AlterationOnPostgres_NamesTable(t *testing.T) {
	t.Parallel()
	storage := Storage{Data: t.TempDir(), DBURL: pgtest.New(t)}
	w := newHistory(t, storage)
	w.recordAll()
	wantNone(t, w.differences())
	address, err := url.Parse(storage.DBURL)
	must(t, err)
	query := address.Query()
	query.Set("session_replication_role", "replica") // disables foreign keys, as an attacker could
	address.RawQuery = query.Encode()
	db, err := sql.Open("pgx", address.String())
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	d := database{DB: db, t: t, postgres: true}
	checkTablesListed(t, d)
	for i, a := range alterations(d) {
		if !sampled(i, 12) {
			continue
		}
		a.do(d)
		wantTable(t, a.name, a.table, differences(t, w.Services))
		a.undo(d)
	}
	wantNone(t, w.differences())
}

// The server writes after verify has read the audit log and before it reads the sessions.
func TestVerify_ServerWritesMeanwhile_NoDifference(t *testing.T) {
	t.Parallel()
	w := newHistory(t, Storage{Data: t.TempDir()})
	w.recordAll()
	var found []string
	v, err := w.Verifier(func(where, what string) { found = append(found, where+": "+what) }, nil)
	must(t, err)
	v.Recomputers = append(v.Recomputers, meanwhile(func() {
		w.plan("four", firemode.SixMonthly)
		for _, session := range []firemode.SessionID{"two", "four"} {
			for n, only := range []bool{true, false} {
				w.posted(
					"ann", session, by("tab", int64(n)+1),
					setTo("FE-1", "conditions/"+pressureRule+"/pressure_low", n+1),
					setTo("FE-1", "scope/"+pressureRule+"/only_unit_in_area", only),
				)
				note := fmt.Sprint("seen ", n)
				id := firemode.NewDefectID(session, "FE-1", pressureRule, "pressure_low")
				_, err := w.Defects.Patch(w.as("mia"), id, 0, defects.Patch{Note: &note})
				must(t, err)
			}
		}
	}))
	totals, err := v.Run(t.Context(), verify.Scope{Org: "acme"})
	must(t, err)
	if totals.Sessions != 4 || len(found) != 0 {
		t.Errorf("%d sessions, want 4; found %v", totals.Sessions, found)
	}
	wantNone(t, w.differences())
}

// attacked returns the tables that hold readings or copies of them, rules, and the audit log.
func attacked() []string {
	return []string{
		"actors", "audit", "audit_heads", "batches", "defects", "items", "last_results", "ops", "quarantine", "rule_deactivations", "rules",
		"session_heads", "sessions",
	}
}

// unattacked returns every other table, with the reason why verify need not find alterations of it.
func unattacked() map[string]string {
	return map[string]string{
		"answers":             "stored responses are kept for a day; the log has what they promise",
		"assets":              "the current register; items hold its state at the time of the visit",
		"building_owners":     "an index over buildings",
		"buildings":           "the current building; the audit log has every change",
		"goose_db_version":    "the migrations",
		"organisations":       "names",
		"refresh_tokens":      "tokens are hashes of secrets",
		"revocations":         "they expire with the tokens that they revoke",
		"rule_stamps":         "they invalidate caches",
		"session_technicians": "an index over sessions",
		"sqlite_sequence":     "SQLite's own",
		"users":               "the audit log has every change",
	}
}

// excuses returns the columns of attacked tables whose alteration verify does not find, and why.
// None of them is a reading or a copy of one.
func excuses() map[string]string {
	return map[string]string{
		"actors.delivered":     "no log has what GETs delivered, which would cost a write per GET; verify checks it against the log",
		"sessions.creation":    "fingerprint of the creating request, to recognise retries",
		"sessions.name":        "a label that can be changed",
		"sessions.technicians": "who may see it can be changed",
		"sessions.version":     "it counts writes, for If-Match",
	}
}

// victim is a row to alter.
type victim struct {
	table   string
	columns []string
	key     []string // the columns of the primary key
	row     map[string]any
}

// choose returns conditions that select the rows of a table to alter. The rows of each condition
// are attacked like a separate table.
func choose(table string) []string {
	switch table {
	case "actors":
		return []string{"org = 'acme' AND run_seq > 0"} // a client that only reads exists in no other row
	case "rules", "audit", "audit_heads":
		return []string{"org = 'acme'", "org = ''"} // of the organisation, and of the shared catalogue
	case "session_heads":
		return []string{"session_id = 'one'"}
	case "sessions":
		return []string{"id = 'one'"}
	}
	return []string{"org = 'acme'"}
}

// database is the attacked database, as another program sees it.
type database struct {
	*sql.DB
	t        *testing.T
	postgres bool
}

func (d database) strings(query string) []string {
	d.t.Helper()
	rows, err := d.QueryContext(d.t.Context(), query)
	must(d.t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		must(d.t, rows.Scan(&s))
		all = append(all, s)
	}
	must(d.t, rows.Err())
	return all
}

func (d database) tables() []string {
	if d.postgres {
		return d.strings("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
	}
	return d.strings("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
}

func (d database) columns(table string) (all, key []string) {
	if d.postgres {
		all = d.strings(
			"SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '" + table + "' ORDER BY ordinal_position",
		)
		key = d.strings(
			`SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
			WHERE i.indisprimary AND i.indrelid = '` + table + `'::regclass ORDER BY array_position(i.indkey, a.attnum)`,
		)
		return all, key
	}
	return d.strings("SELECT name FROM pragma_table_info('" + table + "') ORDER BY cid"),
		d.strings("SELECT name FROM pragma_table_info('" + table + "') WHERE pk > 0 ORDER BY pk")
}

// victims returns the rows of a table under a condition.
func (d database) victims(table, where string) []victim {
	d.t.Helper()
	all, key := d.columns(table)
	rows, err := d.QueryContext(
		d.t.Context(),
		"SELECT "+strings.Join(all, ", ")+" FROM "+table+" WHERE "+where+" ORDER BY "+strings.Join(key, ", "),
	)
	must(d.t, err)
	defer rows.Close()
	var found []victim
	for rows.Next() {
		values, into := make([]any, len(all)), make([]any, len(all))
		for i := range values {
			into[i] = &values[i]
		}
		must(d.t, rows.Scan(into...))
		v := victim{table: table, columns: all, key: key, row: map[string]any{}}
		for i, name := range all {
			v.row[name] = values[i]
		}
		found = append(found, v)
	}
	must(d.t, rows.Err())
	if len(found) == 0 {
		d.t.Fatalf("the history has no row in %s where %s", table, where)
	}
	return found
}

// exec runs a statement whose parameters are written ?.
func (d database) exec(statement string, args ...any) {
	d.t.Helper()
	if d.postgres {
		for i := range args {
			statement = strings.Replace(statement, "?", fmt.Sprint("$", i+1), 1)
		}
	}
	result, err := d.ExecContext(d.t.Context(), statement, args...)
	must(d.t, err)
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		d.t.Fatalf("%s changed %d rows, %v", statement, n, err)
	}
}

// where returns the condition that selects v in its current state.
func (v victim) where() (condition string, args []any) {
	var parts []string
	for _, k := range v.key {
		parts, args = append(parts, k+" = ?"), append(args, v.row[k])
	}
	return strings.Join(parts, " AND "), args
}

func (d database) set(v victim, column string, value any) {
	d.t.Helper()
	where, args := v.where()
	d.exec("UPDATE "+v.table+" SET "+column+" = ? WHERE "+where, append([]any{value}, args...)...)
}

func (d database) delete(v victim) {
	d.t.Helper()
	where, args := v.where()
	d.exec("DELETE FROM "+v.table+" WHERE "+where, args...)
}

func (d database) insert(v victim) {
	d.t.Helper()
	var args []any
	for _, c := range v.columns {
		args = append(args, v.row[c])
	}
	d.exec(
		"INSERT INTO "+v.table+" ("+strings.Join(v.columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(args)-1)+")",
		args...)
}

// flips returns values that differ from v in one bit at the begin, in the middle and at the end, or
// by one.
func flips(v any) []any {
	flip := func(b []byte) [][]byte {
		if len(b) == 0 {
			return [][]byte{{'x'}}
		}
		places := []int{len(b) - 1}
		if len(b) > 8 {
			places = []int{0, len(b) / 2, len(b) - 1}
		}
		var all [][]byte
		for _, at := range places {
			c := slices.Clone(b)
			c[at] ^= 1
			all = append(all, c)
		}
		return all
	}
	var all []any
	switch v := v.(type) {
	case nil:
		return []any{[]byte{1}}
	case bool:
		return []any{!v}
	case int64:
		return []any{v + 1, v ^ 1<<20}
	case []byte:
		for _, b := range flip(v) {
			all = append(all, b)
		}
	case string:
		for _, b := range flip([]byte(v)) {
			all = append(all, string(b))
		}
	}
	return all
}

// with returns v with another value in a column.
func (v victim) with(column string, value any) victim {
	v.row = maps.Clone(v.row)
	v.row[column] = value
	return v
}

// alteration is one change of a database, and its reversal.
type alteration struct {
	name     string
	table    string
	do, undo func(database)
}

// alterations returns, for every attacked table, flips in every column, deleted rows, and an
// inserted row for every column of the key.
func alterations(d database) []alteration {
	var all []alteration
	for _, table := range attacked() {
		for _, where := range choose(table) {
			victims := d.victims(table, where)
			name := table
			if where == "org = ''" {
				name += " of the shared catalogue"
			}
			all = append(all, flipped(d, name, victims)...)
			all = append(all, deleted(name, victims)...)
			all = append(all, inserted(name, victims)...)
		}
	}
	return all
}

func flipped(d database, name string, victims []victim) (all []alteration) {
	table, excused := victims[0].table, excuses()
	for i, column := range victims[0].columns {
		v := victims[i%len(victims)] // a different row for each column
		if excused[table+"."+column] != "" {
			continue
		}
		for n, value := range flips(v.row[column]) {
			if slices.Contains(v.key, column) &&
				slices.ContainsFunc(victims, func(w victim) bool { return w.row[column] == value }) {
				continue // the primary key refuses it
			}
			if text, ok := value.(string); ok && d.postgres && strings.Contains(text, "\x00") {
				continue // PostgreSQL refuses it
			}
			all = append(all, alteration{
				name: fmt.Sprintf("%s.%s flip %d", name, column, n), table: table,
				do:   func(d database) { d.set(v, column, value) },
				undo: func(d database) { d.set(v.with(column, value), column, v.row[column]) },
			})
		}
	}
	return all
}

func deleted(name string, victims []victim) (all []alteration) {
	for _, v := range []victim{victims[0], victims[len(victims)-1]} {
		all = append(all, alteration{
			name: "delete from " + name, table: v.table,
			do:   func(d database) { d.delete(v) },
			undo: func(d database) { d.insert(v) },
		})
	}
	return all
}

// inserted inserts a copy of the last victim under a key that differs in one column. The
// organisation or session of that key does not exist.
func inserted(name string, victims []victim) (all []alteration) {
	v := victims[len(victims)-1]
	for _, column := range v.key {
		added := v
		// Other unique columns must differ too if the organisation and the session stay the same.
		for _, name := range append([]string{column}, map[string][]string{"batches": {"number"}, "audit": {"id"}}[v.table]...) {
			added = added.with(name, next(v.row[name]))
		}
		all = append(all, alteration{
			name: "insert into " + name + " with another " + column, table: v.table,
			do:   func(d database) { d.insert(added) },
			undo: func(d database) { d.delete(added) },
		})
	}
	return all
}

func next(value any) any {
	switch value := value.(type) {
	case int64:
		return value + 1
	case string:
		return value + "x"
	}
	return value
}

// sampled selects every n-th alteration, the same ones in each run. make attack tries all of them,
// which takes minutes because each needs its own verification.
func sampled(i, n int) bool { return i%n == 0 || os.Getenv("FIREMODE_ATTACK") == "all" }

// meanwhile calls a function after verify has read the audit log of an organisation.
type meanwhile func()

func (m meanwhile) Recompute(org firemode.OrgID) verify.Recomputation { return meanwhileIn{m, org} }

type meanwhileIn struct {
	do  meanwhile
	org firemode.OrgID
}

func (meanwhileIn) Audit(ledger.AuditEntry) {}

func (m meanwhileIn) Organisation(context.Context, store.ReadTx, verify.Report) (string, error) {
	if m.org != "" {
		m.do()
	}
	return "", nil
}

func (meanwhileIn) Session(verify.SessionScope) verify.SessionRecomputation { return nil }

func wantNone(t *testing.T, differences []string) {
	t.Helper()
	if len(differences) > 0 {
		t.Fatalf("before the alteration:\n%s", strings.Join(differences, ""))
	}
}

func wantFound(t *testing.T, storage Storage, a alteration) {
	t.Helper()
	must(t, Use(t.Context(), storage, time.Now, func(s *Services) error {
		wantTable(t, a.name, a.table, differences(t, s))
		return nil
	}))
}

// wantTable requires a difference that names the table.
func wantTable(t *testing.T, name, table string, found []string) {
	t.Helper()
	if !slices.ContainsFunc(
		found, func(line string) bool { return slices.Contains(strings.FieldsFunc(line, notInName), table) },
	) {
		t.Errorf("%s: no difference names the table; found\n%s", name, strings.Join(found, ""))
	}
}

func notInName(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }

func checkTablesListed(t *testing.T, d database) {
	t.Helper()
	for _, table := range d.tables() {
		if known := unattacked()[table] != ""; known == slices.Contains(attacked(), table) {
			t.Errorf("table %s: add it to attacked, or to unattacked with a reason", table)
		}
	}
	for name := range excuses() {
		table, column, _ := strings.Cut(name, ".")
		if all, _ := d.columns(table); !slices.Contains(all, column) {
			t.Errorf("%s is excused, but does not exist", name)
		}
	}
}

func openSQLite(t *testing.T, file string) database {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?_pragma=busy_timeout(10000)")
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return database{DB: db, t: t}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, content, 0o600))
}
