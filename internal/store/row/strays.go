package row

import (
	"fmt"

	"firemode/internal/store"
)

// ForeignKey says of the rows of a table, x, to which row of another one, y, each belongs.
type ForeignKey struct {
	Table string
	Owner string // the column of x that names it
	Which string // a condition on x: other rows belong to nothing, and rightly
	Of    string // the table of y
	By    string // the condition under which x belongs to y
}

// Orphans is the query, for either engine, of the rows of b that belong to nothing; ScanOrphan reads them.
func (b ForeignKey) Orphans() string {
	return fmt.Sprintf(`SELECT DISTINCT '%[1]s', x.org, x.%[2]s
FROM %[1]s x WHERE %[3]s AND NOT EXISTS (SELECT 1 FROM %[4]s y WHERE %[5]s) ORDER BY 2, 3`, b.Table, b.Owner, b.Which, b.Of, b.By)
}

// ForeignKeys are those of the tables that a verification reads. What belongs to a session belongs to an organisation by it.
func ForeignKeys() []ForeignKey {
	const (
		all            = "true"
		notShared      = "x.org <> ''" // the shared catalogue belongs to no organisation
		ofOrganisation = "y.id = x.org"
		ofSession      = "y.org = x.org AND y.id = x.session_id"
	)
	return []ForeignKey{
		{"audit", "org", notShared, "organisations", ofOrganisation},
		{"audit_heads", "org", notShared, "organisations", ofOrganisation},
		{"rules", "org", notShared, "organisations", ofOrganisation},
		{"rule_deactivations", "org", notShared, "organisations", ofOrganisation},
		{"sessions", "id", all, "session_technicians", "y.org = x.org AND y.session_id = x.id AND y.viewer = '*'"}, // the list of all
		{"sessions", "org", all, "organisations", ofOrganisation},
		{"session_heads", "session_id", all, "sessions", ofSession},
		{"batches", "session_id", all, "sessions", ofSession},
		{"ops", "session_id", all, "sessions", ofSession},
		{"ops", "session_id", all, "batches", "y.org = x.org AND y.session_id = x.session_id AND y.seq = x.seq"}, // without it no query shows them
		{"actors", "session_id", all, "sessions", ofSession},
		{"items", "session_id", all, "sessions", ofSession},
		{"defects", "session_id", all, "sessions", ofSession},
		{"quarantine", "session_id", all, "sessions", ofSession},
		{"last_results", "session_id", all, "sessions", ofSession + " AND y.building_id = x.building_id"},
	}
}

// ScanOrphan reads table, org and owner.
func ScanOrphan(r Scanner) (s store.Orphan, err error) {
	err = r.Scan(&s.Table, &s.Org, &s.Owner)
	return s, err
}
