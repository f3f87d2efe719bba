package row

import (
	"context"
	"strings"

	"firemode"
	"firemode/internal/store"
)

// BuildingColumns are those of table buildings, but for name_key, address_key and search, which
// follow from them.
const BuildingColumns = "org, id, name, address, metadata, owners, status, version, created_at, creation"

// BuildingTaken says what CreateBuilding or UpdateBuilding found taken.
var BuildingTaken = Taken{
	Primary: "a building with this id exists already",
	Unique:  "a building of this name and address exists already",
}

// BuildingValues are in the order of BuildingColumns, then name_key, address_key, search.
func BuildingValues(b firemode.Building) ([]any, error) {
	var e encoder
	values := []any{
		b.Org, b.ID, b.Name, b.Address, e.json(b.Metadata), e.json(b.Owners), b.Status, b.Version,
		store.Micros(b.CreatedAt), blob(b.Creation),
		nameKey(b.Name), nameKey(b.Address), store.Search(b.Name, b.Address),
	}
	return values, e.err
}

func nameKey(s string) string { return store.Fold(strings.TrimSpace(s)) }

// BuildingChanges are what UpdateBuilding writes: name, address, metadata, owners, status,
// name_key, address_key, search.
func BuildingChanges(b firemode.Building) ([]any, error) {
	v, err := BuildingValues(b)
	return append(v[2:7:7], v[10:]...), err
}

// ScanBuilding reads BuildingColumns.
func ScanBuilding(s Scanner) (b firemode.Building, err error) {
	err = scan(s, "buildings", &b.Org, &b.ID, &b.Name, &b.Address, store.JSONColumn{Into: &b.Metadata},
		store.JSONColumn{Into: &b.Owners},
		&b.Status, &b.Version, store.TimeColumn{Into: &b.CreatedAt}, &b.Creation)
	return b, err
}

// SelectBuildings selects BuildingColumns of buildings, b.
const SelectBuildings = "SELECT " + BuildingColumns + " FROM buildings b"

// SelectBuilding selects BuildingColumns of the building of an organisation with an id.
const SelectBuilding = SelectBuildings + " WHERE org = ? AND id = ?"

// Building implements store.BuildingReader.
func (r Reader) Building(ctx context.Context, org firemode.OrgID, id firemode.BuildingID) (firemode.Building, error) {
	b, err := One(ctx, r.sql, ScanBuilding, SelectBuilding, org, id)
	return Found(b, err, "building")
}

// BuildingKeys adds the keys of a list of buildings.
func BuildingKeys(list []firemode.Building, err error) ([]store.Keyed[firemode.Building], error) {
	return Keyed(list, err, func(b firemode.Building) string {
		return store.Key(store.Micros(b.CreatedAt),
			string(b.ID))
	})
}

// CreateBuilding implements store.BuildingWriter but for table building_owners.
func (w Writer) CreateBuilding(ctx context.Context, b firemode.Building) error {
	values, err := BuildingValues(b)
	if err != nil {
		return w.sql.Fail(err)
	}
	_, err = w.sql.Write(ctx, BuildingTaken, InsertInto("buildings",
		BuildingColumns+", name_key, address_key, search"), values...)
	return err
}

// UpdateBuilding implements store.BuildingWriter; it empties the rows of table building_owners, and
// the engine adds them.
func (w Writer) UpdateBuilding(ctx context.Context, b firemode.Building) error {
	changes, err := BuildingChanges(b)
	if err != nil {
		return w.sql.Fail(err)
	}
	n, err := w.sql.Write(ctx, BuildingTaken, `UPDATE buildings SET name = ?, address = ?, metadata = ?, owners = ?,
		status = ?,
		name_key = ?, address_key = ?, search = ?, version = version + 1
		WHERE org = ? AND id = ? AND version = ?`, append(changes, b.Org, b.ID, b.Version)...)
	err = Changed(w.sql, n, err, "the building", func() error {
		_, err := w.read.Building(ctx, b.Org, b.ID)
		return err
	})
	if err != nil {
		return err
	}
	return Exec(ctx, w.sql, "DELETE FROM building_owners WHERE org = ? AND building_id = ?", b.Org, b.ID)
}
