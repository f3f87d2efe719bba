package row

import (
	"context"
	"fmt"

	"firemode/internal/store"
)

// foreignKey says to which row of table y each row of table x belongs. The databases do not enforce
// these keys, or an attacker has switched them off.
type foreignKey struct {
	table string // of x
	owner string // the column of x that names y
	which string // a condition on x: other rows need no y
	of    string // the table of y
	by    string // the condition under which x belongs to y
}

// query selects table, organisation and owner of the rows of x without a y.
func (k foreignKey) query() string {
	return fmt.Sprintf(`SELECT DISTINCT '%[1]s', x.org, x.%[2]s
FROM %[1]s x WHERE %[3]s AND NOT EXISTS (SELECT 1 FROM %[4]s y WHERE %[5]s) ORDER BY 2, 3`, k.table, k.owner, k.which,
		k.of, k.by)
}

// foreignKeys returns those of the tables that a verification reads. Rows of a session belong to an
// organisation through it.
func foreignKeys() []foreignKey {
	const (
		all            = "true"
		notShared      = "x.org <> ''" // the shared catalogue belongs to no organisation
		ofOrganisation = "y.id = x.org"
		ofSession      = "y.org = x.org AND y.id = x.session_id"
	)
	return []foreignKey{
		{"audit", "org", notShared, "organisations", ofOrganisation},
		{"audit_heads", "org", notShared, "organisations", ofOrganisation},
		{"rules", "org", notShared, "organisations", ofOrganisation},
		{"rule_deactivations", "org", notShared, "organisations", ofOrganisation},
		// the list of all sessions
		{"sessions", "id", all, "session_technicians", "y.org = x.org AND y.session_id = x.id AND y.viewer = '*'"},
		{"sessions", "org", all, "organisations", ofOrganisation},
		{"session_heads", "session_id", all, "sessions", ofSession},
		{"batches", "session_id", all, "sessions", ofSession},
		{"ops", "session_id", all, "sessions", ofSession},
		// no query finds an operation without its entry
		{"ops", "session_id", all, "batches", "y.org = x.org AND y.session_id = x.session_id AND y.seq = x.seq"},
		{"actors", "session_id", all, "sessions", ofSession},
		{"items", "session_id", all, "sessions", ofSession},
		{"defects", "session_id", all, "sessions", ofSession},
		{"quarantine", "session_id", all, "sessions", ofSession},
		{"last_results", "session_id", all, "sessions", ofSession + " AND y.building_id = x.building_id"},
	}
}

// scanOrphan reads table, org and owner.
func scanOrphan(r Scanner) (s store.Orphan, err error) {
	err = r.Scan(&s.Table, &s.Org, &s.Owner)
	return s, err
}

// Orphans implements store.OrphanReader.
func (r Reader) Orphans(ctx context.Context) (orphans []store.Orphan, err error) {
	for _, key := range foreignKeys() {
		list, err := All(ctx, r.sql, scanOrphan, key.query())
		if err != nil {
			return nil, err
		}
		orphans = append(orphans, list...)
	}
	return orphans, nil
}
