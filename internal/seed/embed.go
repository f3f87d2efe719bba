package seed

import (
	_ "embed" // for the data files of this package
	"slices"
)

var (
	//go:embed harbour_tower_assets.csv
	harbourTowerCSV []byte
	//go:embed small_site_assets.csv
	smallSiteCSV []byte
)

// HarbourTowerCSV returns the asset register of the demo building as a contractor's spreadsheet
// would export it: 465 rows over 18 levels, with inconsistent case and spaces, dates in three
// formats and line breaks in notes. Five rows are invalid: a duplicate id, a missing id, an unknown
// type, an impossible date and a duplicate barcode.
func HarbourTowerCSV() []byte { return slices.Clone(harbourTowerCSV) }
