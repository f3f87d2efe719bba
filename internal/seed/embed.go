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

// HarbourTowerCSV returns the register of the demo building as a contractor's spreadsheet would give it out: 465 rows over 18
// levels, five of which cannot be taken in (an id used twice, a missing id, an unknown type, an impossible date and a barcode used
// twice), with the stray case and spaces, dates in three forms and line breaks in notes that such files have.
func HarbourTowerCSV() []byte { return slices.Clone(harbourTowerCSV) }
