package firemode

import (
	"slices"
	"time"
)

// Building is a site that is serviced.
type Building struct {
	Org       OrgID
	ID        BuildingID
	Name      string // site_name; with Address unique in the organisation
	Address   string // site_address
	Metadata  map[string]any
	Owners    []UserID // users of role owner who may read it
	Status    string   // "active" or "archived"
	Version   int64
	CreatedAt time.Time
	Creation  []byte
}

// ReadableBy reports whether p may read the building: an owner only if it names them. p is of the
// same organisation.
func (b Building) ReadableBy(p Principal) bool {
	return p.Role != RoleOwner || slices.Contains(b.Owners, p.User)
}

// Statuses of a building.
const (
	BuildingActive   = "active"
	BuildingArchived = "archived"
)

// AssetKind is the kind of an item.
type AssetKind string

// The kinds of internal/rules' asset types: an asset of the register, a system of the building, the
// site itself.
const (
	KindAsset  AssetKind = "asset"
	KindSystem AssetKind = "system"
	KindSite   AssetKind = "site"
)

// Statuses of an asset. Only assets in service become items of a session.
const (
	AssetInService      = "in service"
	AssetOutOfService   = "out of service"
	AssetDecommissioned = "decommissioned"
)

// Asset is one row of a building's register. Dates are calendar dates "2006-01-02" or "".
type Asset struct {
	Org              OrgID
	Building         BuildingID
	ID               AssetID
	Type             string // code of the asset type, e.g. "extinguisher_powder"
	Description      string // the register's own words for the type, e.g. "Extinguisher ABE 4.5kg"
	System           string // e.g. "FE"
	Level            string // normalised: "B2", "G", "L05"
	Location         string
	Make             string
	Model            string
	Serial           string
	Manufactured     string
	Installed        string
	LastPressureTest string
	Barcode          string // unique in its building unless ""
	Status           string
	Notes            string
	Baselines        []Baseline // sorted by measurement
	Version          int64
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Baseline is a reading with which later ones are compared: AS 1851 tests against the approved
// design.
type Baseline struct {
	Measurement string // e.g. "flow_lps"
	Value       string // decimal, as it was written
	Unit        string
	Source      string // the document it comes from
	Date        string // "2006-01-02"
}
