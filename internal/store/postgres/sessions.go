package postgres

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) SessionsByID(
	ctx context.Context, org firemode.OrgID, ids []firemode.SessionID,
) ([]firemode.Session, error) {
	return row.All(ctx, t.sql, row.ScanSession, row.SelectSessions+" WHERE org = $1 AND id = ANY($2)", org,
		row.Strings(ids))
}

func (t readTx) Sessions(
	ctx context.Context, org firemode.OrgID, f store.SessionFilter, p store.Page,
) ([]store.Keyed[firemode.Session], error) {
	keys, err := t.sessionKeys(ctx, org, f, p)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	ids := make([]firemode.SessionID, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	list, err := row.All(ctx, t.sql, row.ScanSession,
		row.SelectSessions+" WHERE org = $1 AND id = ANY($2) ORDER BY created_at DESC, id DESC", org, row.Strings(ids))
	return row.Keyed(list, err, func(s firemode.Session) string {
		return store.Key(store.Micros(s.CreatedAt),
			string(s.ID))
	})
}

// Each range is read from its index in order, a page at most, and the pages are merged: the cost
// follows the page and the number of ranges, not the number of sessions.
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

func (t readTx) sessionKeys(
	ctx context.Context, org firemode.OrgID, f store.SessionFilter, p store.Page,
) ([]row.ListKey, error) {
	before, from, err := row.SessionBounds(f, p)
	if err != nil {
		return nil, err
	}
	buildings, err := t.ListedBuildings(ctx, org, f)
	if err != nil {
		return nil, err
	}
	ranges := row.SessionRanges(f, buildings)
	if len(ranges) == 0 {
		return nil, nil
	}
	var viewers, statuses, in []string
	for _, r := range ranges {
		viewers, statuses, in = append(viewers, r.Viewer), append(statuses, string(r.Status)), append(in,
			string(r.Building))
	}
	query := listRanges + listAlso
	if ranges[0].Building != "" {
		query += listBuilding
	}
	return row.All(ctx, t.sql, row.ScanListKey, query+listPage,
		org, viewers, statuses, before.CreatedAt, before.ID, from, p.Limit, ranges[0].Also, in)
}

// CreateSession adds the session, its head and its places in the lists.
func (t writeTx) CreateSession(ctx context.Context, s firemode.Session, h ledger.Head) error {
	if err := t.Writer.CreateSession(ctx, s, h); err != nil {
		return err
	}
	return t.enlist(ctx, s)
}

// UpdateSession writes the session and its places in the lists.
func (t writeTx) UpdateSession(ctx context.Context, s firemode.Session) error {
	if err := t.Writer.UpdateSession(ctx, s); err != nil {
		return err
	}
	return t.enlist(ctx, s)
}

// enlist adds the session to its lists. The columns by which they are ordered come from the row,
// which no caller can change.
func (t writeTx) enlist(ctx context.Context, s firemode.Session) error {
	return row.Exec(ctx, t.sql, `INSERT INTO session_technicians (org, session_id, viewer, building_id, status,
		created_at)
		SELECT s.org, s.id, v, s.building_id, s.status, s.created_at FROM sessions s, unnest($3::text[]) v
		WHERE s.org = $1 AND s.id = $2`, s.Org, s.ID, row.Viewers(s.Technicians))
}

func (t writeTx) LockSessions(
	ctx context.Context, org firemode.OrgID, ids []firemode.SessionID,
) ([]store.LockedSession, error) {
	// First the locks, then the rows: only a statement that begins once it has the locks sees what
	// their last holders committed.
	err := row.Exec(ctx, t.sql, "SELECT 1 FROM sessions WHERE org = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
		org, row.Strings(ids))
	if err != nil {
		return nil, err
	}
	return row.All(ctx, t.sql, row.ScanLockedSession, row.SelectLockedSessions+" AND id = ANY(?) ORDER BY id", org,
		row.Strings(ids))
}
