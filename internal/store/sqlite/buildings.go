package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t writeTx) LockBuilding(
	ctx context.Context, org firemode.OrgID, id firemode.BuildingID,
) (firemode.Building, error) {
	return t.Building(ctx, org, id) // an Update has the database to itself
}

func (t readTx) Buildings(
	ctx context.Context, org firemode.OrgID, f store.BuildingFilter, p store.Page,
) ([]store.Keyed[firemode.Building], error) {
	at, id, err := row.After(p)
	if err != nil {
		return nil, err
	}
	query := row.SelectBuildings + " WHERE org = ?1"
	if f.Owner != "" {
		query += " AND id IN (SELECT building_id FROM building_owners WHERE org = ?1 AND owner = ?5)"
	}
	if f.Text != "" {
		query += " AND instr(search, ?6)"
	}
	list, err := row.All(ctx, t.sql, row.ScanBuilding, query+" AND (created_at, id) > (?2, ?3) ORDER BY created_at, "+
		"id LIMIT ?4",
		org, at, id, p.Limit, f.Owner, store.Fold(f.Text))
	return row.BuildingKeys(list, err)
}

// CreateBuilding adds the building and its owners.
func (t writeTx) CreateBuilding(ctx context.Context, b firemode.Building) error {
	if err := t.Writer.CreateBuilding(ctx, b); err != nil {
		return err
	}
	return t.addOwners(ctx, b)
}

// UpdateBuilding writes the building and its owners.
func (t writeTx) UpdateBuilding(ctx context.Context, b firemode.Building) error {
	if err := t.Writer.UpdateBuilding(ctx, b); err != nil {
		return err
	}
	return t.addOwners(ctx, b)
}

// addOwners takes the time of creation from the row, which no caller can change.
func (t writeTx) addOwners(ctx context.Context, b firemode.Building) error {
	return row.Exec(ctx, t.sql, `INSERT INTO building_owners (org, owner, building_id, created_at)
		SELECT DISTINCT b.org, o.value, b.id, b.created_at FROM buildings b, json_each(b.owners) o
		WHERE b.org = ? AND b.id = ? AND o.type = 'text'`, b.Org, b.ID)
}
