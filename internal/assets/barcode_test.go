package assets

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"firemode"
)

// codes are the barcodes of a register, "" for none.
type codes map[firemode.AssetID]string

func TestBarcodes_Resolve_RejectsTakenOnes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		register codes
		sheet    []string // asset, barcode
		rejected string
		moving   codes
	}{
		"its own":               {codes{"A": "1"}, []string{"A", "1"}, "", nil},
		"of an asset elsewhere": {codes{"Z": "1"}, []string{"A", "1"}, "2 A the barcode 1 belongs to asset Z", nil},
		"given up":              {codes{"Z": "1"}, []string{"A", "1", "Z", ""}, "", codes{"Z": "1"}},
		"exchanged": {
			codes{"A": "1", "B": "2"}, []string{"A", "2", "B", "1"}, "", codes{"A": "1", "B": "2"},
		},
		"of one that cannot move": {
			codes{"A": "1", "Z": "9"},
			[]string{"B", "1", "A", "9"},
			"3 A the barcode 9 belongs to asset Z; 2 B the barcode 1 belongs to asset A", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var sheet []row
			for pair := range slices.Chunk(test.sheet, 2) {
				sheet = append(
					sheet,
					row{line: 2 + len(sheet), asset: firemode.Asset{ID: firemode.AssetID(pair[0]), Barcode: pair[1]}},
				)
			}
			got := resolveCodes(test.register, sheet)
			if list := describeRejections(got.rejected); list != test.rejected {
				t.Errorf("rejected %q, want %q", list, test.rejected)
			}
			if !maps.Equal(got.moving, test.moving) {
				t.Errorf("moving %v, want %v", got.moving, test.moving)
			}
		})
	}
}

// After an import into any register barcodes are unique, and importing the same sheet once more
// rejects the same rows and changes nothing.
func TestBarcodes_Resolve_AnyRegister_UniqueAndStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom([]string{"", "1", "2", "3", "4", "5"})
		register, used := codes{}, map[string]bool{}
		for i := range 6 {
			if c := code.Draw(t, "held"); c == "" || !used[c] {
				register[firemode.AssetID(fmt.Sprint(i))], used[c] = c, true
			}
		}
		var sheet []row
		claimed := map[string]bool{}
		order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "order")
		for _, i := range order[:rapid.IntRange(0, 8).Draw(t, "rows")] {
			if c := code.Draw(t, "claimed"); c == "" || !claimed[c] {
				sheet = append(
					sheet,
					row{line: len(sheet), asset: firemode.Asset{ID: firemode.AssetID(fmt.Sprint(i)), Barcode: c}},
				)
				claimed[c] = true
			}
		}
		first := resolveCodes(register, sheet)
		for _, r := range first.rows {
			register[r.asset.ID] = r.asset.Barcode
		}
		holders := map[string]firemode.AssetID{}
		for id, c := range register {
			if other, twice := holders[c]; twice && c != "" {
				t.Fatalf("barcode %s is both %s's and %s's", c, id, other)
			}
			holders[c] = id
		}
		again := resolveCodes(register, sheet)
		if len(again.moving) > 0 || len(again.rows) != len(first.rows) {
			t.Fatalf("again: %d rows and %v moving, first %d rows", len(again.rows), again.moving, len(first.rows))
		}
	})
}

func resolveCodes(register codes, sheet []row) resolution {
	b := barcodes{
		rows: map[firemode.AssetID]*row{}, claimant: map[string]*row{},
		holder: map[string]firemode.AssetID{}, held: map[firemode.AssetID]string{},
	}
	for i := range sheet {
		r := &sheet[i]
		b.rows[r.asset.ID] = r
		if r.asset.Barcode != "" {
			b.claimant[r.asset.Barcode] = r
		}
	}
	for id, code := range register {
		if code != "" && b.claimant[code] != nil {
			b.holder[code], b.held[id] = id, code
		}
	}
	return b.resolve(sheet)
}
