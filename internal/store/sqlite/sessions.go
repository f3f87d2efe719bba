package sqlite

import (
	"context"
	"slices"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) SessionsByID(
	ctx context.Context, org firemode.OrgID, ids []firemode.SessionID,
) ([]firemode.Session, error) {
	return row.All(ctx, t.sql, row.ScanSession, row.SelectSessions+" WHERE org = ? AND id IN (SELECT value "+
		"FROM json_each(?))", org, array(ids))
}

func (t readTx) Sessions(
	ctx context.Context, org firemode.OrgID, f store.SessionFilter, p store.Page,
) ([]store.Keyed[firemode.Session], error) {
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

// A range of each of the two indexes of session_technicians, newest first: ?4 and ?5 are the key to
// go on from.
const (
	listRange = `SELECT created_at, session_id FROM session_technicians v
		WHERE org = ?1 AND viewer = ?2 AND status = ?3 AND (created_at, session_id) < (?4, ?5) AND created_at >= ?6`
	listPage = " ORDER BY created_at DESC, session_id DESC LIMIT ?7"
	listAlso = ` AND EXISTS (SELECT 1 FROM session_technicians o
		WHERE o.org = ?1 AND o.session_id = v.session_id AND o.viewer = ?8)`
	listBuilding = " AND building_id = ?9"
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
	var keys []row.ListKey
	for _, r := range row.SessionRanges(f, buildings) {
		query := listRange
		if r.Also != "" {
			query += listAlso
		}
		if r.Building != "" {
			query += listBuilding
		}
		list, err := row.All(ctx, t.sql, row.ScanListKey, query+listPage,
			org, r.Viewer, r.Status, before.CreatedAt, before.ID, from, p.Limit, r.Also, r.Building)
		if err != nil {
			return nil, err
		}
		keys = append(keys, list...)
	}
	slices.SortFunc(keys, row.ListKey.Newer)
	return keys[:min(len(keys), p.Limit)], nil
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
		SELECT s.org, s.id, v.value, s.building_id, s.status, s.created_at FROM sessions s, json_each(?) v
		WHERE s.org = ? AND s.id = ?`, array(row.Viewers(s.Technicians)), s.Org, s.ID)
}

func (t writeTx) LockSessions(
	ctx context.Context, org firemode.OrgID, ids []firemode.SessionID,
) ([]store.LockedSession, error) {
	// An Update has the database to itself: nothing is left to lock.
	return row.All(ctx, t.sql, row.ScanLockedSession,
		row.SelectLockedSessions+" AND id IN (SELECT value FROM json_each(?)) ORDER BY id", org, array(ids))
}
