package upgrade

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver
)

// database is a database of release 1, before or after its migration.
type database struct {
	storage []string          // flags that say where it is
	want    map[string][]byte // what release 1 answered from it, by name
	rows    engine
}

// engine reads rows without the program under test.
type engine interface {
	// columns lists the columns of every table, as pairs of a table's name and a column's.
	columns(ctx context.Context) ([][2]string, error)
	// read returns the rows of a table, with a text for each of the columns that tells type and bytes of the value.
	read(ctx context.Context, table string, columns []string) ([][]string, error)
	// text returns the one value that query selects.
	text(ctx context.Context, query string) (string, error)
}

func (db database) text(t *testing.T, query string) string {
	t.Helper()
	s, err := db.rows.text(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

// columnsOf returns the columns of each table, by table, but for the list of applied migrations, which is to grow.
func columnsOf(t *testing.T, db database) map[string][]string {
	t.Helper()
	pairs, err := db.rows.columns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	for _, p := range pairs {
		if p[0] != "goose_db_version" {
			all[p[0]] = append(all[p[0]], p[1])
		}
	}
	return all
}

// contents returns the rows of each table as lines in one order: the table, then the name of each column and its bytes.
func contents(t *testing.T, db database, columns map[string][]string) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	for table, names := range columns {
		rows, err := db.rows.read(t.Context(), table, names)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		lines := make([]string, len(rows))
		for i, row := range rows {
			var line strings.Builder
			line.WriteString(table)
			for j, value := range row {
				fmt.Fprintf(&line, " %s=%s", names[j], value)
			}
			lines[i] = line.String()
		}
		slices.Sort(lines)
		all[table] = lines
	}
	return all
}

// sqliteRows is a database file of SQLite.
type sqliteRows struct{ path string }

func (s sqliteRows) with(do func(*sql.DB) error) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: s.path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}

func (s sqliteRows) columns(ctx context.Context) (pairs [][2]string, err error) {
	err = s.with(func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
			WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY t.name, c.cid`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p [2]string
			if err := rows.Scan(&p[0], &p[1]); err != nil {
				return err
			}
			pairs = append(pairs, p)
		}
		return rows.Err()
	})
	return pairs, err
}

func (s sqliteRows) read(ctx context.Context, table string, columns []string) (all [][]string, err error) {
	exprs := make([]string, len(columns))
	for i, c := range columns {
		// Of a number hex shows the digits. Without the t a column that is gone would be taken for its name as a text.
		exprs[i] = fmt.Sprintf(`typeof(t."%s") || ':' || hex(t."%[1]s")`, c)
	}
	err = s.with(func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM "%s" t`, strings.Join(exprs, ", "), table))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			row := make([]string, len(columns))
			into := make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			all = append(all, row)
		}
		return rows.Err()
	})
	return all, err
}

func (s sqliteRows) text(ctx context.Context, query string) (text string, err error) {
	err = s.with(func(db *sql.DB) error { return db.QueryRowContext(ctx, query).Scan(&text) })
	return text, err
}

// postgresRows is a database of PostgreSQL.
type postgresRows struct{ url string }

func (p postgresRows) with(ctx context.Context, do func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, p.url)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return do(c)
}

func (p postgresRows) columns(ctx context.Context) (pairs [][2]string, err error) {
	err = p.with(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, `SELECT table_name, column_name FROM information_schema.columns
			WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`)
		if err != nil {
			return err
		}
		pairs, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p [2]string, err error) {
			return p, row.Scan(&p[0], &p[1])
		})
		return err
	})
	return pairs, err
}

// read takes the values in PostgreSQL's binary form.
func (p postgresRows) read(ctx context.Context, table string, columns []string) (all [][]string, err error) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = pgx.Identifier{c}.Sanitize()
	}
	query := fmt.Sprintf("SELECT %s FROM %s", strings.Join(names, ", "), pgx.Identifier{"public", table}.Sanitize())
	err = p.with(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, query, pgx.QueryResultFormats{pgx.BinaryFormatCode})
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]string, error) {
			var texts []string
			for i, raw := range row.RawValues() {
				text := fmt.Sprintf("%d:%s", row.FieldDescriptions()[i].DataTypeOID, hex.EncodeToString(raw))
				if raw == nil {
					text = "null"
				}
				texts = append(texts, text)
			}
			return texts, nil
		})
		return err
	})
	return all, err
}

func (p postgresRows) text(ctx context.Context, query string) (text string, err error) {
	err = p.with(ctx, func(c *pgx.Conn) error { return c.QueryRow(ctx, query).Scan(&text) })
	return text, err
}
