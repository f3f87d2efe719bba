package postgres

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t writeTx) LockBuilding(
	ctx context.Context, org firemode.OrgID, id firemode.BuildingID,
) (firemode.Building, error) {
	// Not FOR UPDATE, which would also keep others from adding sessions that merely refer to the
	// building.
	b, err := row.One(ctx, t.sql, row.ScanBuilding, row.SelectBuilding+" FOR NO KEY UPDATE", org, id)
	return row.Found(b, err, "building")
}

func (t readTx) Buildings(
	ctx context.Context, org firemode.OrgID, f store.BuildingFilter, p store.Page,
) ([]store.Keyed[firemode.Building], error) {
	at, id, err := row.After(p)
	if err != nil {
		return nil, err
	}
	list, err := row.All(ctx, t.sql, row.ScanBuilding, row.SelectBuildings+` WHERE org = $1 AND (created_at,
		id) > ($2, $3)
		AND ($5 = '' OR EXISTS (SELECT 1 FROM building_owners o WHERE o.org = b.org AND o.owner = $5
		AND o.building_id = b.id))
		AND strpos(search, $6) > 0 ORDER BY created_at, id LIMIT $4`, org, at, id, p.Limit, f.Owner, store.Fold(f.Text))
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
		SELECT DISTINCT b.org, o, b.id, b.created_at FROM buildings b, unnest($3::text[]) o
		WHERE b.org = $1 AND b.id = $2`, b.Org, b.ID, row.Strings(b.Owners))
}
