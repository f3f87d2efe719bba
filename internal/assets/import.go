package assets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// chunk is how many rows are read from and written to the store at once.
const chunk = 500

// Import brings a spreadsheet into the building's register: text/csv in UTF-8 whose first line names the columns. Rows that
// make sense are created or updated, the others are listed in the Report, and a dry run reports the same and writes nothing.
// It is CodeInvalid when the file as a whole cannot be read, CodeTooLarge above MaxRows.
//
// A column that is not there leaves its field alone; in one that is there, a blank cell says that the value is unknown and
// clears the field (a blank status is "in service" for a new asset, and no change for one that exists). Assets that the file
// does not name stay as they are: they are never removed by an import.
//
// All accepted rows are committed at once, with one audit entry. r is read to its end first, so that a slow upload holds no
// transaction; then the writer is held for the second or so that a register of 20 000 rows takes. The other way, a transaction
// for each few hundred rows, would be kinder to other writers, but a crash would leave half a register with an audit entry
// that does not say so, and a retry could not repeat the first answer.
func (s *Service) Import(ctx context.Context, building firemode.BuildingID, r io.Reader, dryRun bool) (Report, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return Report{}, err
	}
	// Before the upload is read, and again under lock.
	if _, err = s.Get(ctx, building); err != nil {
		return Report{}, err
	}
	hash := sha256.New()
	file, err := readSheet(io.TeeReader(r, hash))
	if err != nil {
		return Report{}, err
	}
	im := importer{org: p.Org, building: building, sheet: file}
	if dryRun {
		err = s.store.View(ctx, func(tx store.ReadTx) error { return im.run(ctx, tx, nil) })
		return im.report, err
	}
	return store.Once(ctx, s.store, func(tx store.Tx) (Report, error) {
		if _, err := locked(ctx, tx, p, building); err != nil {
			return Report{}, err
		}
		if err := im.run(ctx, tx, tx); err != nil {
			return Report{}, err
		}
		return im.report, s.audit(ctx, tx, p, event{"assets.import", string(building), map[string]any{
			"created": im.report.Created, "updated": im.report.Updated, "unchanged": im.report.Unchanged,
			"rejected": len(im.report.Rejected) + im.report.Omitted, "sha256": hex.EncodeToString(hash.Sum(nil)),
		}})
	})
}

// importer takes one sheet into one register.
type importer struct {
	org      firemode.OrgID
	building firemode.BuildingID
	sheet    *sheet
	moving   map[firemode.AssetID]string // see settled
	report   Report
}

// run compares the sheet with the register and reports; it writes the difference unless write is nil.
func (im *importer) run(ctx context.Context, read store.ReadTx, write store.Tx) error {
	im.report = Report{}
	settled, err := im.settleBarcodes(ctx, read)
	if err != nil {
		return err
	}
	im.moving = settled.moving
	im.report.reject(im.sheet.rejected, settled.rejected)
	if write != nil {
		if err := im.release(ctx, write); err != nil {
			return err
		}
	}
	for rows := range slices.Chunk(settled.rows, chunk) {
		if err := im.take(ctx, read, write, rows); err != nil {
			return err
		}
	}
	return nil
}

// take compares one chunk with the register, and writes the difference unless write is nil.
func (im *importer) take(ctx context.Context, read store.ReadTx, write store.Tx, rows []*row) error {
	existing, err := im.assets(ctx, read, rows)
	if err != nil {
		return err
	}
	var created, updated []firemode.Asset
	for _, r := range rows {
		before, found := existing[r.asset.ID]
		if code, ok := im.moving[r.asset.ID]; ok {
			before.Barcode = code // as it was before release
		}
		after := im.merge(before, r, found)
		switch {
		case !found:
			created = append(created, after)
		case !same(&before, &after):
			updated = append(updated, after)
		default:
			im.report.Unchanged++
		}
	}
	im.report.Created += len(created)
	im.report.Updated += len(updated)
	if write == nil {
		return nil
	}
	stamp(write, created, updated)
	if err := store.As[store.AssetWriter](write).CreateAssets(ctx, created); err != nil {
		return err
	}
	return store.As[store.AssetWriter](write).UpdateAssets(ctx, updated)
}

func (im *importer) assets(ctx context.Context, tx store.ReadTx, rows []*row) (map[firemode.AssetID]firemode.Asset, error) {
	ids := make([]firemode.AssetID, len(rows))
	for i, r := range rows {
		ids[i] = r.asset.ID
	}
	list, err := store.As[store.AssetReader](tx).AssetsByID(ctx, im.org, im.building, ids)
	byID := make(map[firemode.AssetID]firemode.Asset, len(list))
	for _, a := range list {
		byID[a.ID] = a
	}
	return byID, err
}

// merge is the asset as the row would have it.
func (im *importer) merge(a firemode.Asset, r *row, found bool) firemode.Asset {
	a.Org, a.Building, a.ID = im.org, im.building, r.asset.ID
	a.Type, a.System = r.kind.Code, r.kind.System
	switch {
	case !r.kind.byCode:
		a.Description = r.asset.Description
	case !found:
		a.Description = r.kind.Name
	}
	for _, f := range im.sheet.header.fields {
		f.copy(&a, &r.asset)
	}
	inService(&a)
	return a
}

// stamp sets the times of assets about to be written.
func stamp(tx store.Tx, created, updated []firemode.Asset) {
	for i := range created {
		created[i].Version, created[i].CreatedAt, created[i].UpdatedAt = 1, tx.Now(), tx.Now()
	}
	for i := range updated {
		updated[i].UpdatedAt = tx.Now()
	}
}
