package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectBuildings = "SELECT " + row.BuildingColumns + " FROM buildings b"

func (t readTx) Building(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error) {
	b, err := one(ctx, t, row.ScanBuilding, selectBuildings+" WHERE org = ? AND id = ?", org, id)
	return found(b, err, "building")
}

func (t writeTx) LockBuilding(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error) {
	return t.Building(ctx, org, id) // an Update has the database to itself
}

func (t readTx) Buildings(ctx context.Context, org firemode.OrgID, f store.BuildingFilter, p store.Page) ([]store.Keyed[firemode.Building], error) {
	at, id, err := after(p)
	if err != nil {
		return nil, err
	}
	query := selectBuildings + " WHERE org = ?1"
	if f.Owner != "" {
		query += " AND id IN (SELECT building_id FROM building_owners WHERE org = ?1 AND owner = ?5)"
	}
	if f.Text != "" {
		query += " AND instr(search, ?6)"
	}
	list, err := all(ctx, t, row.ScanBuilding, query+" AND (created_at, id) > (?2, ?3) ORDER BY created_at, id LIMIT ?4",
		org, at, id, p.Limit, f.Owner, store.Fold(f.Text))
	return keyed(list, err, func(b firemode.Building) string { return store.Key(store.Micros(b.CreatedAt), string(b.ID)) })
}

func (t writeTx) CreateBuilding(ctx context.Context, b firemode.Building) error {
	values, err := row.BuildingValues(b)
	if err != nil {
		return t.fail(err)
	}
	_, err = t.write(ctx, row.BuildingTaken, "INSERT INTO buildings ("+row.BuildingColumns+
		", name_key, address_key, search) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values...)
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
	n, err := t.write(ctx, row.BuildingTaken, `UPDATE buildings SET name = ?, address = ?, metadata = ?, owners = ?, status = ?,
		name_key = ?, address_key = ?, search = ?, version = version + 1
		WHERE org = ? AND id = ? AND version = ?`, append(changes, b.Org, b.ID, b.Version)...)
	err = t.changed(n, err, "the building", func() error {
		_, err := t.Building(ctx, b.Org, b.ID)
		return err
	})
	if err != nil {
		return err
	}
	if err := t.exec(ctx, "DELETE FROM building_owners WHERE org = ? AND building_id = ?", b.Org, b.ID); err != nil {
		return err
	}
	return t.addOwners(ctx, b)
}

// addOwners takes the time of creation from the row, which no caller can change.
func (t writeTx) addOwners(ctx context.Context, b firemode.Building) error {
	return t.exec(ctx, `INSERT INTO building_owners (org, owner, building_id, created_at)
		SELECT DISTINCT b.org, o.value, b.id, b.created_at FROM buildings b, json_each(b.owners) o
		WHERE b.org = ? AND b.id = ? AND o.type = 'text'`, b.Org, b.ID)
}
