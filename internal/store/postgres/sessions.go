package postgres

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectSessions = "SELECT " + row.SessionColumns + " FROM sessions"

func (t readTx) Session(ctx context.Context, org firemode.OrgID, id firemode.SessionID) (firemode.Session, error) {
	s, err := one(ctx, t, row.ScanSession, selectSessions+" WHERE org = $1 AND id = $2", org, id)
	return found(s, err, "session")
}

func (t readTx) SessionsByID(ctx context.Context, org firemode.OrgID, ids []firemode.SessionID) ([]firemode.Session, error) {
	return all(ctx, t, row.ScanSession, selectSessions+" WHERE org = $1 AND id = ANY($2)", org, row.Strings(ids))
}

func (t readTx) Sessions(ctx context.Context, org firemode.OrgID, f store.SessionFilter, p store.Page) ([]store.Keyed[firemode.Session], error) {
	keys, err := t.sessionKeys(ctx, org, f, p)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	ids := make([]firemode.SessionID, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	list, err := all(ctx, t, row.ScanSession,
		selectSessions+" WHERE org = $1 AND id = ANY($2) ORDER BY created_at DESC, id DESC", org, row.Strings(ids))
	return keyed(list, err, func(s firemode.Session) string { return store.Key(store.Micros(s.CreatedAt), string(s.ID)) })
}

// Each range is read from its index in order, a page at most, and the pages are merged: the cost follows the page and the number
// of ranges, not the number of sessions.
const (
	listRanges = `SELECT k.created_at, k.session_id
		FROM unnest($2::text[], $3::text[], $9::text[]) AS r (viewer, status, building_id)
		CROSS JOIN LATERAL (SELECT v.created_at, v.session_id FROM session_technicians v
			WHERE v.org = $1 AND v.viewer = r.viewer AND v.status = r.status
			AND (v.created_at, v.session_id) < ($4, $5) AND v.created_at >= $6`
	listAlso = ` AND ($8 = '' OR EXISTS (SELECT 1 FROM session_technicians o
				WHERE o.org = $1 AND o.session_id = v.session_id AND o.viewer = $8))`
	listBuilding = " AND v.building_id = r.building_id"
	listPage     = ` ORDER BY v.created_at DESC, v.session_id DESC LIMIT $7) k
		ORDER BY k.created_at DESC, k.session_id DESC LIMIT $7`
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
	ranges := row.SessionRanges(f, buildings)
	if len(ranges) == 0 {
		return nil, nil
	}
	var viewers, statuses, in []string
	for _, r := range ranges {
		viewers, statuses, in = append(viewers, r.Viewer), append(statuses, string(r.Status)), append(in, string(r.Building))
	}
	query := listRanges + listAlso
	if ranges[0].Building != "" {
		query += listBuilding
	}
	return all(ctx, t, row.ScanListKey, query+listPage,
		org, viewers, statuses, before.CreatedAt, before.ID, from, p.Limit, ranges[0].Also, in)
}

// listedBuildings returns the buildings that the list is limited to, [""] for no limit.
func (t readTx) listedBuildings(ctx context.Context, org firemode.OrgID, f store.SessionFilter) ([]firemode.BuildingID, error) {
	if f.OwnedBy == "" {
		return []firemode.BuildingID{f.Building}, nil
	}
	return all(ctx, t, scanString[firemode.BuildingID],
		"SELECT building_id FROM building_owners WHERE org = $1 AND owner = $2 AND ($3 = '' OR building_id = $3)", org, f.OwnedBy, f.Building)
}

func (t writeTx) CreateSession(ctx context.Context, s firemode.Session, h ledger.Head) error {
	values, err := row.SessionValues(s)
	if err != nil {
		return t.fail(err)
	}
	if _, err = t.write(ctx, row.SessionTaken, insertInto("sessions", row.SessionColumns), values...); err != nil {
		return err
	}
	err = t.exec(ctx, insertInto("session_heads", "org, session_id, "+row.HeadColumns), append([]any{s.Org, s.ID}, row.HeadValues(h)...)...)
	if err != nil {
		return err
	}
	return t.enlist(ctx, s)
}

// enlist puts the session into its lists. What they are ordered by comes from the row, which no caller can change.
func (t writeTx) enlist(ctx context.Context, s firemode.Session) error {
	return t.exec(ctx, `INSERT INTO session_technicians (org, session_id, viewer, building_id, status, created_at)
		SELECT s.org, s.id, v, s.building_id, s.status, s.created_at FROM sessions s, unnest($3::text[]) v
		WHERE s.org = $1 AND s.id = $2`, s.Org, s.ID, row.Viewers(s.Technicians))
}

func (t writeTx) UpdateSession(ctx context.Context, s firemode.Session) error {
	technicians, err := store.JSON(s.Technicians)
	if err != nil {
		return t.fail(err)
	}
	n, err := t.write(ctx, row.Taken{}, `UPDATE sessions SET name = $1, status = $2, reason = $3, technicians = $4, completed_at = $5,
		item_count = $6, check_count = $7, version = version + 1 WHERE org = $8 AND id = $9 AND version = $10`,
		s.Name, s.Status, s.Reason, technicians, store.Micros(s.CompletedAt), s.ItemCount, s.CheckCount, s.Org, s.ID, s.Version)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.changed("the session", func() error {
			_, err := t.Session(ctx, s.Org, s.ID)
			return err
		})
	}
	if err := t.exec(ctx, "DELETE FROM session_technicians WHERE org = $1 AND session_id = $2", s.Org, s.ID); err != nil {
		return err
	}
	return t.enlist(ctx, s)
}

func (t writeTx) LockSessions(ctx context.Context, org firemode.OrgID, ids []firemode.SessionID) ([]store.LockedSession, error) {
	// First the locks, then the rows: only a statement that begins after the lock is there sees what its last holder committed.
	err := t.exec(ctx, "SELECT 1 FROM sessions WHERE org = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE", org, row.Strings(ids))
	if err != nil {
		return nil, err
	}
	return all(ctx, t.readTx, row.ScanLockedSession, "SELECT "+row.SessionColumns+", "+row.HeadColumns+` FROM sessions
		JOIN (SELECT org AS head_org, session_id, `+row.HeadColumns+` FROM session_heads) h ON head_org = org AND session_id = id
		WHERE org = $1 AND id = ANY($2) ORDER BY id`, org, row.Strings(ids))
}

func (t writeTx) SaveHead(ctx context.Context, org firemode.OrgID, id firemode.SessionID, h ledger.Head) error {
	n, err := t.write(ctx, row.Taken{}, "UPDATE session_heads SET ("+row.HeadColumns+") = ("+parameters(3, 14)+`)
		WHERE org = $1 AND session_id = $2`, append([]any{org, id}, row.HeadValues(h)...)...)
	if err == nil && n == 0 {
		err = t.fail(firemode.NotFound("there is no such session"))
	}
	return err
}

func (t readTx) LastResults(ctx context.Context, org firemode.OrgID, b firemode.BuildingID) (map[firemode.ItemID]firemode.LastResult, error) {
	list, err := all(ctx, t, row.ScanLastResult,
		"SELECT "+row.LastResultColumns+" FROM last_results WHERE org = $1 AND building_id = $2", org, b)
	if err != nil {
		return nil, err
	}
	return row.LastResults(list), nil
}

func (t writeTx) SaveLastResults(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, found map[firemode.ItemID]firemode.LastResult) error {
	_, err := writeAll(ctx, t, row.Taken{}, insertInto("last_results", "org, building_id, "+row.LastResultColumns)+`
		ON CONFLICT (org, building_id, item_id) DO UPDATE SET session_id = excluded.session_id,
			completed_at = excluded.completed_at, outcome = excluded.outcome, measurements = excluded.measurements
		WHERE excluded.completed_at >= last_results.completed_at`, row.FoundItems(found), func(f row.FoundItem) ([]any, error) {
		values, err := row.LastResultValues(f)
		return append([]any{org, b}, values...), err
	})
	return err
}
