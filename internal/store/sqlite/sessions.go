package sqlite

import (
	"context"
	"slices"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectSessions = "SELECT " + row.SessionColumns + " FROM sessions"

func (t readTx) Session(ctx context.Context, org firemode.OrgID, id firemode.SessionID) (firemode.Session, error) {
	s, err := one(ctx, t, row.ScanSession, selectSessions+" WHERE org = ? AND id = ?", org, id)
	return found(s, err, "session")
}

func (t readTx) SessionsByID(ctx context.Context, org firemode.OrgID, ids []firemode.SessionID) ([]firemode.Session, error) {
	return all(ctx, t, row.ScanSession, selectSessions+" WHERE org = ? AND id IN (SELECT value FROM json_each(?))", org, array(ids))
}

func (t readTx) Sessions(ctx context.Context, org firemode.OrgID, f store.SessionFilter, p store.Page) ([]store.Keyed[firemode.Session], error) {
	keys, err := t.sessionKeys(ctx, org, f, p)
	if err != nil {
		return nil, err
	}
	page := make([]store.Keyed[firemode.Session], len(keys))
	for i, k := range keys {
		s, err := t.Session(ctx, org, k.ID)
		if err != nil {
			return nil, err
		}
		page[i] = store.Keyed[firemode.Session]{Key: k.String(), Row: s}
	}
	return page, nil
}

// A range of each of the two indexes of session_technicians, newest first: ?4 and ?5 are the key to go on from.
const (
	listRange = `SELECT created_at, session_id FROM session_technicians v
		WHERE org = ?1 AND viewer = ?2 AND status = ?3 AND (created_at, session_id) < (?4, ?5) AND created_at >= ?6`
	listPage = " ORDER BY created_at DESC, session_id DESC LIMIT ?7"
	listAlso = ` AND EXISTS (SELECT 1 FROM session_technicians o
		WHERE o.org = ?1 AND o.session_id = v.session_id AND o.viewer = ?8)`
	listBuilding = " AND building_id = ?9"
)

func (t readTx) sessionKeys(ctx context.Context, org firemode.OrgID, f store.SessionFilter, p store.Page) ([]row.ListKey, error) {
	before, from, err := row.SessionBounds(f, p)
	if err != nil {
		return nil, err
	}
	buildings, err := t.listedBuildings(ctx, org, f)
	if err != nil {
		return nil, err
	}
	var keys []row.ListKey
	for _, r := range row.SessionRanges(f, buildings) {
		query := listRange
		if r.Also != "" {
			query += listAlso
		}
		if r.Building != "" {
			query += listBuilding
		}
		list, err := all(ctx, t, row.ScanListKey, query+listPage,
			org, r.Viewer, r.Status, before.CreatedAt, before.ID, from, p.Limit, r.Also, r.Building)
		if err != nil {
			return nil, err
		}
		keys = append(keys, list...)
	}
	slices.SortFunc(keys, row.ListKey.Newer)
	return keys[:min(len(keys), p.Limit)], nil
}

// listedBuildings returns the buildings that the list is limited to, [""] for no limit.
func (t readTx) listedBuildings(ctx context.Context, org firemode.OrgID, f store.SessionFilter) ([]firemode.BuildingID, error) {
	if f.OwnedBy == "" {
		return []firemode.BuildingID{f.Building}, nil
	}
	return all(ctx, t, scanString[firemode.BuildingID],
		"SELECT building_id FROM building_owners WHERE org = ?1 AND owner = ?2 AND (?3 = '' OR building_id = ?3)", org, f.OwnedBy, f.Building)
}

func (t writeTx) CreateSession(ctx context.Context, s firemode.Session, h ledger.Head) error {
	values, err := row.SessionValues(s)
	if err != nil {
		return t.fail(err)
	}
	_, err = t.write(ctx, row.SessionTaken,
		"INSERT INTO sessions ("+row.SessionColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values...)
	if err != nil {
		return err
	}
	err = t.exec(ctx, "INSERT INTO session_heads (org, session_id, "+row.HeadColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		append([]any{s.Org, s.ID}, row.HeadValues(h)...)...)
	if err != nil {
		return err
	}
	return t.enlist(ctx, s)
}

// enlist puts the session into its lists. What they are ordered by comes from the row, which no caller can change.
func (t writeTx) enlist(ctx context.Context, s firemode.Session) error {
	return t.exec(ctx, `INSERT INTO session_technicians (org, session_id, viewer, building_id, status, created_at)
		SELECT s.org, s.id, v.value, s.building_id, s.status, s.created_at FROM sessions s, json_each(?) v
		WHERE s.org = ? AND s.id = ?`, array(row.Viewers(s.Technicians)), s.Org, s.ID)
}

func (t writeTx) UpdateSession(ctx context.Context, s firemode.Session) error {
	technicians, err := store.JSON(s.Technicians)
	if err != nil {
		return t.fail(err)
	}
	n, err := t.write(ctx, row.Taken{}, `UPDATE sessions SET name = ?, status = ?, reason = ?, technicians = ?, completed_at = ?,
		item_count = ?, check_count = ?, version = version + 1 WHERE org = ? AND id = ? AND version = ?`,
		s.Name, s.Status, s.Reason, technicians, store.Micros(s.CompletedAt), s.ItemCount, s.CheckCount, s.Org, s.ID, s.Version)
	err = t.changed(n, err, "the session", func() error {
		_, err := t.Session(ctx, s.Org, s.ID)
		return err
	})
	if err != nil {
		return err
	}
	if err := t.exec(ctx, "DELETE FROM session_technicians WHERE org = ? AND session_id = ?", s.Org, s.ID); err != nil {
		return err
	}
	return t.enlist(ctx, s)
}

func (t writeTx) LockSessions(ctx context.Context, org firemode.OrgID, ids []firemode.SessionID) ([]store.LockedSession, error) {
	// An Update has the database to itself: nothing is left to lock.
	return all(ctx, t.readTx, row.ScanLockedSession, "SELECT "+row.SessionColumns+", "+row.HeadColumns+` FROM sessions
		JOIN (SELECT org AS head_org, session_id, `+row.HeadColumns+` FROM session_heads) ON head_org = org AND session_id = id
		WHERE org = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id`, org, array(ids))
}

func (t writeTx) SaveHead(ctx context.Context, org firemode.OrgID, id firemode.SessionID, h ledger.Head) error {
	n, err := t.write(ctx, row.Taken{}, "UPDATE session_heads SET ("+row.HeadColumns+`) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		WHERE org = ? AND session_id = ?`, append(row.HeadValues(h), org, id)...)
	if err == nil && n == 0 {
		err = t.fail(firemode.NotFound("there is no such session"))
	}
	return err
}

func (t readTx) LastResults(ctx context.Context, org firemode.OrgID, b firemode.BuildingID) (map[firemode.ItemID]firemode.LastResult, error) {
	list, err := all(ctx, t, row.ScanLastResult,
		"SELECT "+row.LastResultColumns+" FROM last_results WHERE org = ? AND building_id = ?", org, b)
	if err != nil {
		return nil, err
	}
	return row.LastResults(list), nil
}

func (t writeTx) SaveLastResults(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, found map[firemode.ItemID]firemode.LastResult) error {
	for _, f := range row.FoundItems(found) {
		values, err := row.LastResultValues(f)
		if err != nil {
			return t.fail(err)
		}
		err = t.exec(ctx, "INSERT INTO last_results (org, building_id, "+row.LastResultColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (org, building_id, item_id) DO UPDATE SET session_id = excluded.session_id,
				completed_at = excluded.completed_at, outcome = excluded.outcome, measurements = excluded.measurements
			WHERE excluded.completed_at >= completed_at`, append([]any{org, b}, values...)...)
		if err != nil {
			return err
		}
	}
	return nil
}
