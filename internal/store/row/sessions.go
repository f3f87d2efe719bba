package row

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// SessionColumns are those of table sessions.
const SessionColumns = "org, id, building_id, name, frequency, status, reason, technicians, item_count, " +
	"check_count, version, " +
	"created_at, created_by, completed_at, creation, format"

// SessionTaken says what CreateSession found taken.
var SessionTaken = Taken{Primary: "a session with this id exists already"}

// SessionValues are in the order of SessionColumns.
func SessionValues(s firemode.Session) ([]any, error) {
	var e encoder
	values := []any{
		s.Org, s.ID, s.Building, s.Name, s.Frequency, s.Status, s.Reason, e.json(s.Technicians), s.ItemCount,
		s.CheckCount,
		s.Version, store.Micros(s.CreatedAt), s.CreatedBy, store.Micros(s.CompletedAt), blob(s.Creation), s.Format,
	}
	return values, e.err
}

func sessionDest(s *firemode.Session) []any {
	return []any{
		&s.Org, &s.ID, &s.Building, &s.Name, &s.Frequency, &s.Status, &s.Reason,
		store.JSONColumn{Into: &s.Technicians},
		&s.ItemCount, &s.CheckCount, &s.Version,
		store.TimeColumn{Into: &s.CreatedAt},
		&s.CreatedBy,
		store.TimeColumn{Into: &s.CompletedAt},
		&s.Creation,
		&s.Format,
	}
}

// ScanSession reads SessionColumns.
func ScanSession(r Scanner) (s firemode.Session, err error) {
	err = scan(r, "sessions", sessionDest(&s)...)
	return s, err
}

// ScanLockedSession reads SessionColumns, then HeadColumns.
func ScanLockedSession(r Scanner) (l store.LockedSession, err error) {
	err = scan(r, "sessions", append(sessionDest(&l.Session), headDest(&l.Head)...)...)
	return l, err
}

// SelectSessions selects SessionColumns of sessions.
const SelectSessions = "SELECT " + SessionColumns + " FROM sessions"

// SelectLockedSessions selects SessionColumns and HeadColumns of sessions of an organisation.
const SelectLockedSessions = "SELECT " + SessionColumns + ", " + HeadColumns + ` FROM sessions
	JOIN (SELECT org AS head_org, session_id, ` + HeadColumns +
	` FROM session_heads) h ON head_org = org AND session_id = id
	WHERE org = ?`

// Session implements store.SessionReader.
func (r Reader) Session(ctx context.Context, org firemode.OrgID, id firemode.SessionID) (firemode.Session, error) {
	s, err := One(ctx, r.sql, ScanSession, SelectSessions+" WHERE org = ? AND id = ?", org, id)
	return Found(s, err, "session")
}

// ListedBuildings returns the buildings that the list of sessions that f asks for is limited to,
// [""] for no limit.
func (r Reader) ListedBuildings(
	ctx context.Context, org firemode.OrgID, f store.SessionFilter,
) ([]firemode.BuildingID, error) {
	if f.OwnedBy == "" {
		return []firemode.BuildingID{f.Building}, nil
	}
	return All(ctx, r.sql, Text[firemode.BuildingID],
		"SELECT building_id FROM building_owners WHERE org = ?1 AND owner = ?2 AND (?3 = '' OR building_id = ?3)",
		org, f.OwnedBy, f.Building)
}

// CreateSession implements store.SessionWriter but for table session_technicians.
func (w Writer) CreateSession(ctx context.Context, s firemode.Session, h ledger.Head) error {
	values, err := SessionValues(s)
	if err != nil {
		return w.sql.Fail(err)
	}
	if _, err = w.sql.Write(ctx, SessionTaken, InsertInto("sessions", SessionColumns), values...); err != nil {
		return err
	}
	return Exec(ctx, w.sql, InsertInto("session_heads", "org, session_id, "+HeadColumns), append([]any{s.Org, s.ID},
		HeadValues(h)...)...)
}

// UpdateSession implements store.SessionWriter; it empties the rows of table session_technicians,
// and the engine adds them.
func (w Writer) UpdateSession(ctx context.Context, s firemode.Session) error {
	technicians, err := store.JSON(s.Technicians)
	if err != nil {
		return w.sql.Fail(err)
	}
	n, err := w.sql.Write(ctx, Taken{}, `UPDATE sessions SET name = ?, status = ?, reason = ?, technicians = ?,
		completed_at = ?,
		item_count = ?, check_count = ?, version = version + 1 WHERE org = ? AND id = ? AND version = ?`,
		s.Name, s.Status, s.Reason, technicians, store.Micros(s.CompletedAt), s.ItemCount, s.CheckCount, s.Org, s.ID,
		s.Version)
	err = Changed(w.sql, n, err, "the session", func() error {
		_, err := w.read.Session(ctx, s.Org, s.ID)
		return err
	})
	if err != nil {
		return err
	}
	return Exec(ctx, w.sql, "DELETE FROM session_technicians WHERE org = ? AND session_id = ?", s.Org, s.ID)
}
