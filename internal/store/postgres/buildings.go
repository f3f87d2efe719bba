package postgres

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectBuildings = "SELECT " + row.BuildingColumns + " FROM buildings b"

func (t readTx) Building(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error) {
	b, err := one(ctx, t, row.ScanBuilding, selectBuildings+" WHERE org = $1 AND id = $2", org, id)
	return found(b, err, "building")
}

func (t writeTx) LockBuilding(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error) {
	// Not FOR UPDATE, which would also keep others from adding sessions that merely refer to the building.
	b, err := one(ctx, t.readTx, row.ScanBuilding, selectBuildings+" WHERE org = $1 AND id = $2 FOR NO KEY UPDATE", org, id)
	return found(b, err, "building")
}

func (t readTx) Buildings(ctx context.Context, org firemode.OrgID, f store.BuildingFilter, p store.Page) ([]store.Keyed[firemode.Building], error) {
	at, id, err := after(p)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, t, row.ScanBuilding, selectBuildings+` WHERE org = $1 AND (created_at, id) > ($2, $3)
		AND ($5 = '' OR EXISTS (SELECT 1 FROM building_owners o WHERE o.org = b.org AND o.owner = $5 AND o.building_id = b.id))
		AND strpos(search, $6) > 0 ORDER BY created_at, id LIMIT $4`, org, at, id, p.Limit, f.Owner, store.Fold(f.Text))
	return keyed(list, err, func(b firemode.Building) string { return store.Key(store.Micros(b.CreatedAt), string(b.ID)) })
}

func (t writeTx) CreateBuilding(ctx context.Context, b firemode.Building) error {
	values, err := row.BuildingValues(b)
	if err != nil {
		return t.fail(err)
	}
	_, err = t.write(ctx, row.BuildingTaken, insertInto("buildings", row.BuildingColumns+", name_key, address_key, search"), values...)
	if err != nil {
		return err
	}
	return t.addOwners(ctx, b)
}

func (t writeTx) UpdateBuilding(ctx context.Context, b firemode.Building) error {
	changes, err := row.BuildingChanges(b)
	if err != nil {
		return t.fail(err)
	}
	n, err := t.write(ctx, row.BuildingTaken, `UPDATE buildings SET name = $1, address = $2, metadata = $3, owners = $4, status = $5,
		name_key = $6, address_key = $7, search = $8, version = version + 1
		WHERE org = $9 AND id = $10 AND version = $11`, append(changes, b.Org, b.ID, b.Version)...)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.changed("the building", func() error {
			_, err := t.Building(ctx, b.Org, b.ID)
			return err
		})
	}
	if err := t.exec(ctx, "DELETE FROM building_owners WHERE org = $1 AND building_id = $2", b.Org, b.ID); err != nil {
		return err
	}
	return t.addOwners(ctx, b)
}

// addOwners takes the time of creation from the row, which no caller can change.
func (t writeTx) addOwners(ctx context.Context, b firemode.Building) error {
	return t.exec(ctx, `INSERT INTO building_owners (org, owner, building_id, created_at)
		SELECT DISTINCT b.org, o, b.id, b.created_at FROM buildings b, unnest($3::text[]) o
		WHERE b.org = $1 AND b.id = $2`, b.Org, b.ID, row.Strings(b.Owners))
}
