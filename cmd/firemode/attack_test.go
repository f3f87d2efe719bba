package main

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

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx", by which what is stored is altered
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"firemode"
	"firemode/internal/app"
	"firemode/internal/defects"
	"firemode/internal/record/ledger"
	"firemode/internal/record/verify"
	"firemode/internal/store"
	"firemode/internal/store/storetest/pgtest"
)

// attacked are the tables that hold a reading or a copy of one, rules, and the audit log.
func attacked() []string {
	return []string{
		"actors", "audit", "audit_heads", "batches", "defects", "items", "last_results", "ops", "quarantine", "rule_deactivations", "rules",
		"session_heads", "sessions",
	}
}

// unattacked says of every other table why nobody would miss what was altered in it.
func unattacked() map[string]string {
	return map[string]string{
		"answers":             "stored answers are excepted: they are kept for a day, and what they promise is in the log",
		"assets":              "the register is what it says now; items hold what it said when a visit was made",
		"building_owners":     "an index over buildings",
		"buildings":           "a building is what it says now; the audit log tells of every change",
		"goose_db_version":    "the migrations",
		"organisations":       "names",
		"refresh_tokens":      "tokens are hashes of secrets",
		"revocations":         "they end with the tokens that they void",
		"rule_stamps":         "they tell caches to look again",
		"session_technicians": "an index over sessions",
		"sqlite_sequence":     "SQLite's own",
		"users":               "the audit log tells of every change",
	}
}

// excuses says of which columns of the attacked tables it is not found that they were altered, and why. None of them is a reading or a
// copy of one.
func excuses() map[string]string {
	return map[string]string{
		"actors.delivered":     "what a client was given in GETs is in no log, nor could be without a write for every GET; verify holds it to be within the log",
		"sessions.creation":    "fingerprint of the request that made it: it tells a retry from another request",
		"sessions.name":        "a label that can be changed",
		"sessions.technicians": "who may see it can be changed",
		"sessions.version":     "it counts writes, for If-Match",
	}
}

// victim is a row that is altered.
type victim struct {
	table   string
	columns []string
	key     []string // the columns of the primary key
	row     map[string]any
}

// choose is which rows of a table to alter, where not any will do. Those of each condition are attacked as if they were a table.
func choose(table string) []string {
	switch table {
	case "actors":
		return []string{"org = 'acme' AND run_seq > 0"} // who only reads is told of by nothing but the row itself
	case "rules", "audit", "audit_heads":
		return []string{"org = 'acme'", "org = ''"} // the organisation's own, and those of the shared catalogue
	case "session_heads":
		return []string{"session_id = 'one'"}
	case "sessions":
		return []string{"id = 'one'"}
	}
	return []string{"org = 'acme'"}
}

// database is the attacked one, as another program sees it.
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
		all = d.strings("SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '" + table + "' ORDER BY ordinal_position")
		key = d.strings(`SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
			WHERE i.indisprimary AND i.indrelid = '` + table + `'::regclass ORDER BY array_position(i.indkey, a.attnum)`)
		return all, key
	}
	return d.strings("SELECT name FROM pragma_table_info('" + table + "') ORDER BY cid"),
		d.strings("SELECT name FROM pragma_table_info('" + table + "') WHERE pk > 0 ORDER BY pk")
}

// victims returns the rows of a table under a condition.
func (d database) victims(table, where string) []victim {
	d.t.Helper()
	all, key := d.columns(table)
	rows, err := d.QueryContext(d.t.Context(), "SELECT "+strings.Join(all, ", ")+" FROM "+table+" WHERE "+where+" ORDER BY "+strings.Join(key, ", "))
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

// where names v as it now is.
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
	d.exec("INSERT INTO "+v.table+" ("+strings.Join(v.columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
}

// flips are values that differ from v in one bit, at the beginning, in the middle and at the end, or by one.
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

// with is v with another value in a column.
func (v victim) with(column string, value any) victim {
	v.row = maps.Clone(v.row)
	v.row[column] = value
	return v
}

// alteration is one thing done to a database, and how to undo it.
type alteration struct {
	name     string
	table    string
	do, undo func(database)
}

// alterations are, of every attacked table, a flip in every column, a row taken out, and one put in for every column of the key.
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
			all = append(all, taken(name, victims)...)
			all = append(all, copied(name, victims)...)
		}
	}
	return all
}

func flipped(d database, name string, victims []victim) (all []alteration) {
	table, excused := victims[0].table, excuses()
	for i, column := range victims[0].columns {
		v := victims[i%len(victims)] // another row for each column
		if excused[table+"."+column] != "" {
			continue
		}
		for n, value := range flips(v.row[column]) {
			if slices.Contains(v.key, column) && slices.ContainsFunc(victims, func(w victim) bool { return w.row[column] == value }) {
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

func taken(name string, victims []victim) (all []alteration) {
	for _, v := range []victim{victims[0], victims[len(victims)-1]} {
		all = append(all, alteration{
			name: "a row out of " + name, table: v.table,
			do:   func(d database) { d.delete(v) },
			undo: func(d database) { d.insert(v) },
		})
	}
	return all
}

// copied puts in a row like the last of victims under a key that differs in one column. An organisation or a session that it then belongs
// to does not exist.
func copied(name string, victims []victim) (all []alteration) {
	v := victims[len(victims)-1]
	for _, column := range v.key {
		added := v
		// What is unique beside the key must differ too where the organisation and the session stay the same.
		for _, name := range append([]string{column}, map[string][]string{"batches": {"number"}, "audit": {"id"}}[v.table]...) {
			added = added.with(name, next(v.row[name]))
		}
		all = append(all, alteration{
			name: "a row into " + name + " with another " + column, table: v.table,
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

// sampled leaves most alterations to make attack, which does them all: each is a verification of its own, and with the race
// detector they take many minutes. Every n-th is done here, the same ones each time.
func sampled(i, n int) bool { return i%n == 0 || os.Getenv("FIREMODE_ATTACK") == "all" }

// TestEveryAlterationIsFound: whatever is altered in a table that matters, by whoever can write to the database, verify names the table.
func TestEveryAlterationIsFound(t *testing.T) {
	clean := t.TempDir()
	w := newTeller(t, app.Storage{Data: clean})
	w.tellAll()
	wantNone(t, w.differences())
	file := filepath.Join(clean, "firemode.db")
	plain := filepath.Join(t.TempDir(), "copy.db")
	must(t, w.Store.(interface {
		Backup(ctx context.Context, path string) error
	}).Backup(t.Context(), plain))
	d := openSQLite(t, file)
	everyTableIsKnown(t, d)
	for i, a := range alterations(d) {
		if !sampled(i, 12) {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			altered := filepath.Join(t.TempDir(), "firemode.db")
			copyFile(t, plain, altered)
			a.do(openSQLite(t, altered))
			wantFound(t, app.Storage{Data: filepath.Dir(altered), Keys: filepath.Join(clean, "keys")}, a)
		})
	}
}

// TestAlterationsAreFoundOnPostgres does one thing after the other, and undoes it.
func TestAlterationsAreFoundOnPostgres(t *testing.T) {
	storage := app.Storage{Data: t.TempDir(), DBURL: pgtest.New(t)}
	w := newTeller(t, storage)
	w.tellAll()
	wantNone(t, w.differences())
	address, err := url.Parse(storage.DBURL)
	must(t, err)
	query := address.Query()
	query.Set("session_replication_role", "replica") // foreign keys do not stop whoever can do this
	address.RawQuery = query.Encode()
	db, err := sql.Open("pgx", address.String())
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	d := database{DB: db, t: t, postgres: true}
	everyTableIsKnown(t, d)
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

// TestVerify_ServerWritesMeanwhile_IsNoDifference: what is written after the audit log was read and before the sessions are.
func TestVerify_ServerWritesMeanwhile_IsNoDifference(t *testing.T) {
	w := newTeller(t, app.Storage{Data: t.TempDir()})
	w.tellAll()
	var found []string
	v, err := w.Verifier(func(where, what string) { found = append(found, where+": "+what) }, nil)
	must(t, err)
	v.Recomputers = append(v.Recomputers, meanwhile(func() {
		w.plan("four", firemode.SixMonthly)
		for _, session := range []firemode.SessionID{"two", "four"} {
			for n, only := range []bool{true, false} {
				w.posted("ann", session, by("tab", int64(n)+1), setTo("FE-1", "conditions/"+pressureRule+"/pressure_low", n+1),
					setTo("FE-1", "scope/"+pressureRule+"/only_unit_in_area", only))
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

// meanwhile does something when the audit log of an organisation has been read.
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
		t.Fatalf("before anything is altered:\n%s", strings.Join(differences, ""))
	}
}

func wantFound(t *testing.T, storage app.Storage, a alteration) {
	t.Helper()
	must(t, app.Use(t.Context(), storage, time.Now, func(s *app.Services) error {
		wantTable(t, a.name, a.table, differences(t, s))
		return nil
	}))
}

// wantTable wants a difference that names the table: after the organisation, and the session where there is one.
func wantTable(t *testing.T, name, table string, found []string) {
	t.Helper()
	if !slices.ContainsFunc(found, func(line string) bool { return slices.Contains(strings.FieldsFunc(line, notInName), table) }) {
		t.Errorf("%s: nothing names the table; found\n%s", name, strings.Join(found, ""))
	}
}

func notInName(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }

func everyTableIsKnown(t *testing.T, d database) {
	t.Helper()
	for _, table := range d.tables() {
		if known := unattacked()[table] != ""; known == slices.Contains(attacked(), table) {
			t.Errorf("table %s: does it hold a reading or a copy of one? Attack it, or say why not", table)
		}
	}
	for name := range excuses() {
		table, column, _ := strings.Cut(name, ".")
		if all, _ := d.columns(table); !slices.Contains(all, column) {
			t.Errorf("%s is excused, and there is no such column", name)
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
