package assets

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// resolution is the outcome of comparing the barcodes of a sheet with those of the register.
type resolution struct {
	rows     []*row // those to be imported
	rejected []Rejection
	moving   map[firemode.AssetID]string // assets whose present barcode, this one, goes to another row of the sheet
}

// barcodes decides which rows get the barcodes they claim, by the register as it will be after the
// import. A barcode may move from one asset to another if the same sheet gives the first asset
// something else. So importing the same sheet twice changes nothing.
type barcodes struct {
	rows     map[firemode.AssetID]*row // not rejected so far
	claimant map[string]*row           // by barcode
	holder   map[string]firemode.AssetID
	held     map[firemode.AssetID]string // the inverse of holder
	rejected []Rejection
}

// resolveBarcodes reads who holds the barcodes of the sheet and decides which rows get theirs.
func (im *importer) resolveBarcodes(ctx context.Context, tx store.ReadTx) (resolution, error) {
	b := barcodes{
		rows: make(map[firemode.AssetID]*row, len(im.sheet.rows)), claimant: map[string]*row{},
		holder: map[string]firemode.AssetID{}, held: map[firemode.AssetID]string{},
	}
	var claimed []string
	for i := range im.sheet.rows {
		r := &im.sheet.rows[i]
		b.rows[r.asset.ID] = r
		if code := r.asset.Barcode; code != "" {
			b.claimant[code] = r
			claimed = append(claimed, code)
		}
	}
	reader := store.As[store.AssetReader](tx)
	for codes := range slices.Chunk(claimed, chunk) {
		found, err := reader.AssetBarcodes(ctx, im.org, im.building, codes)
		if err != nil {
			return resolution{}, err
		}
		for code, id := range found {
			b.holder[code], b.held[id] = id, code
		}
	}
	return b.resolve(im.sheet.rows), nil
}

func (b *barcodes) resolve(rows []row) resolution {
	for i := range rows {
		if r := &rows[i]; b.rows[r.asset.ID] == r && b.taken(r) {
			b.reject(r)
		}
	}
	out := resolution{rejected: b.rejected, moving: map[firemode.AssetID]string{}}
	for i := range rows {
		r := &rows[i]
		if b.rows[r.asset.ID] != r {
			continue
		}
		out.rows = append(out.rows, r)
		if id, ok := b.holder[r.asset.Barcode]; ok && id != r.asset.ID {
			out.moving[id] = r.asset.Barcode
		}
	}
	return out
}

// taken reports whether another asset has the barcode of r and keeps it. A holder that is in the
// sheet gives it up, since barcodes are unique in a sheet.
func (b *barcodes) taken(r *row) bool {
	id, ok := b.holder[r.asset.Barcode]
	return ok && id != r.asset.ID && b.rows[id] == nil
}

// reject rejects r. The asset then keeps its barcode in the register, so the row that claims that
// one is rejected too.
func (b *barcodes) reject(r *row) {
	for r != nil && b.rows[r.asset.ID] == r {
		delete(b.rows, r.asset.ID)
		b.rejected = append(b.rejected, Rejection{
			Line: r.line, AssetID: string(r.asset.ID),
			Reason: fmt.Sprintf("the barcode %s belongs to asset %s", r.asset.Barcode, b.holder[r.asset.Barcode]),
		})
		r = b.claimant[b.held[r.asset.ID]]
	}
}

// releaseBarcodes clears the barcodes that move, since no two assets may have the same one at any
// moment.
func (im *importer) releaseBarcodes(ctx context.Context, tx store.Tx) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(im.moving)), chunk) {
		list, err := store.As[store.AssetReader](tx).AssetsByID(ctx, im.org, im.building, ids)
		if err != nil {
			return err
		}
		for i := range list {
			list[i].Barcode = ""
		}
		setTimes(tx, nil, list)
		if err := store.As[store.AssetWriter](tx).UpdateAssets(ctx, list); err != nil {
			return err
		}
	}
	return nil
}
