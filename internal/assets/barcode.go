package assets

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// settled is a sheet after its barcodes were compared with the register's.
type settled struct {
	rows     []*row
	rejected []Rejection
	moving   map[firemode.AssetID]string // assets whose present barcode, this one, goes to another row of the sheet
}

// barcodes decides which rows get the barcodes they claim. What counts is the register as it will be: a barcode may move from
// one asset to another when the same sheet gives the first one something else. So importing the sheet again changes nothing.
type barcodes struct {
	rows     map[firemode.AssetID]*row // not rejected so far
	claimant map[string]*row           // by barcode
	holder   map[string]firemode.AssetID
	held     map[firemode.AssetID]string // holder, the other way round
	rejected []Rejection
}

func (im *importer) settleBarcodes(ctx context.Context, tx store.ReadTx) (settled, error) {
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
	for codes := range slices.Chunk(claimed, chunk) {
		found, err := store.As[store.AssetReader](tx).AssetBarcodes(ctx, im.org, im.building, codes)
		if err != nil {
			return settled{}, err
		}
		for code, id := range found {
			b.holder[code], b.held[id] = id, code
		}
	}
	return b.settle(im.sheet.rows), nil
}

func (b *barcodes) settle(rows []row) settled {
	for i := range rows {
		if r := &rows[i]; b.rows[r.asset.ID] == r && b.taken(r) {
			b.reject(r)
		}
	}
	out := settled{rejected: b.rejected, moving: map[firemode.AssetID]string{}}
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

// taken reports whether the barcode of r is, and will stay, another asset's. A holder that is in the sheet gives it up, since no
// barcode is twice in a sheet.
func (b *barcodes) taken(r *row) bool {
	id, ok := b.holder[r.asset.Barcode]
	return ok && id != r.asset.ID && b.rows[id] == nil
}

// reject leaves r out. It keeps the barcode that it has in the register, so whoever claims that one is left out too.
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

// release takes the barcodes that move from the assets that have them: at no moment may two have the same.
func (im *importer) release(ctx context.Context, tx store.Tx) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(im.moving)), chunk) {
		list, err := store.As[store.AssetReader](tx).AssetsByID(ctx, im.org, im.building, ids)
		if err != nil {
			return err
		}
		for i := range list {
			list[i].Barcode = ""
		}
		stamp(tx, nil, list)
		if err := store.As[store.AssetWriter](tx).UpdateAssets(ctx, list); err != nil {
			return err
		}
	}
	return nil
}
