package row

import "testing"

func TestSummary(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT id, name FROM buildings WHERE org = ?": "SELECT buildings",
		"select 1": "SELECT",
		"SELECT a FROM (SELECT b FROM inner_one) AS x":                                    "SELECT inner_one",
		"SELECT o.id FROM json_each(?) AS j JOIN ops AS o ON o.path = j.value":            "SELECT ops",
		"SELECT o.id FROM unnest($1::text[], $2::bigint[]) AS j(a) JOIN ops o ON TRUE":    "SELECT ops",
		"SELECT o.id FROM (SELECT unnest($1)) p CROSS JOIN LATERAL (SELECT * FROM ops) o": "SELECT ops",
		"SELECT seq FROM audit_heads WHERE org = $1 FOR UPDATE":                           "SELECT audit_heads",
		"INSERT INTO audit (org, seq) VALUES (?, ?)":                                      "INSERT audit",
		"INSERT INTO audit(org,seq) VALUES ($1,$2) ON CONFLICT DO UPDATE SET seq = $2":    "INSERT audit",
		"UPDATE session_heads\n\tSET seq = ?":                                             "UPDATE session_heads",
		"DELETE FROM answers WHERE rowid IN\n\t(SELECT rowid FROM answers)":               "DELETE answers",
		"WITH old AS (SELECT id FROM answers) DELETE FROM answers USING old":              "DELETE answers",
		"WITH RECURSIVE up(path) AS (VALUES (?)) SELECT path FROM ops":                    "SELECT ops",
		"begin isolation level read committed":                                            "BEGIN",
		"COMMIT":                                                                          "COMMIT",
		"":                                                                                "",
	} {
		if got := Summary(query); got != want {
			t.Errorf("%q is %q, want %q", query, got, want)
		}
	}
}
