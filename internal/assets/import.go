package assets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// MaxRejections is how many rejections a Report lists.
const MaxRejections = 10_000

// chunk is how many rows are read from and written to the store at once.
const chunk = 500

// Report says what an import did with each row or, of a dry run, would do.
type Report struct {
	Created   int
	Updated   int
	Unchanged int
	Rejected  []Rejection // by line; at most MaxRejections
	Omitted   int         // rejections beyond those in Rejected
}

// Rejection is a row that was not imported, and why.
type Rejection struct {
	Line    int    // of the file, from 1: where the row starts
	AssetID string // as it was written, shortened if it is very long
	Reason  string // for the user
}

// reject adds rejections, in order of line.
func (r *Report) reject(all ...[]Rejection) {
	r.Rejected = slices.Concat(all...)
	slices.SortFunc(r.Rejected, func(a, b Rejection) int { return cmp.Compare(a.Line, b.Line) })
	if extra := len(r.Rejected) - MaxRejections; extra > 0 {
		r.Rejected, r.Omitted = slices.Clone(r.Rejected[:MaxRejections]), extra
	}
}

// Import imports a spreadsheet into the building's register: text/csv in UTF-8 whose first line
// names the columns. Valid rows are created or updated; the others are listed in the Report. A dry
// run returns the same Report and writes nothing. It is CodeInvalid if the file as a whole cannot
// be read, CodeTooLarge above MaxRows.
//
// Import leaves alone the fields of columns that the file does not have. A blank cell clears its
// field; a blank status is "in service" for a new asset and no change for an existing one. An
// import never removes assets: those that the file does not name stay as they are.
//
// All valid rows are committed at once, with one audit entry. r is read to its end first, so that a
// slow upload holds no transaction; then the writer is held for the second or so that a register of
// 20 000 rows takes. A transaction for each few hundred rows would hold it for less, but a crash
// would leave half a register with an audit entry that does not say so, and a retry could not
// return the first response.
func (s *Service) Import(
	ctx context.Context, building firemode.BuildingID, r io.Reader, dryRun bool,
) (Report, error) {
	p, err := firemode.Caller(ctx)
	if err != nil {
		return Report{}, err
	}
	// Checked before the upload is read, and once more under the lock.
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
		if _, err := lockBuilding(ctx, tx, p, building); err != nil {
			return Report{}, err
		}
		if err := im.run(ctx, tx, tx); err != nil {
			return Report{}, err
		}
		return im.report, s.audit(ctx, tx, p, store.Action{
			Name: "assets.import", Subject: string(building), Data: im.report.audited(hash.Sum(nil)),
		})
	})
}

// audited is the report as the audit log has it, with the SHA-256 of the file.
func (r *Report) audited(file []byte) map[string]any {
	return map[string]any{
		"created": r.Created, "updated": r.Updated, "unchanged": r.Unchanged,
		"rejected": len(r.Rejected) + r.Omitted, "sha256": hex.EncodeToString(file),
	}
}

// importer imports one sheet into one register.
type importer struct {
	org      firemode.OrgID
	building firemode.BuildingID
	sheet    *sheet
	moving   map[firemode.AssetID]string // see resolution
	report   Report
}

// run compares the sheet with the register and reports. It writes the difference unless write is
// nil.
func (im *importer) run(ctx context.Context, read store.ReadTx, write store.Tx) error {
	im.report = Report{}
	resolved, err := im.resolveBarcodes(ctx, read)
	if err != nil {
		return err
	}
	im.moving = resolved.moving
	im.report.reject(im.sheet.rejected, resolved.rejected)
	if write != nil {
		if err := im.releaseBarcodes(ctx, write); err != nil {
			return err
		}
	}
	for rows := range slices.Chunk(resolved.rows, chunk) {
		if err := im.importRows(ctx, read, write, rows); err != nil {
			return err
		}
	}
	return nil
}

// importRows compares one chunk with the register. It writes the difference unless write is nil.
func (im *importer) importRows(ctx context.Context, read store.ReadTx, write store.Tx, rows []*row) error {
	existing, err := im.existing(ctx, read, rows)
	if err != nil {
		return err
	}
	var created, updated []firemode.Asset
	for _, r := range rows {
		before, found := existing[r.asset.ID]
		if code, ok := im.moving[r.asset.ID]; ok {
			before.Barcode = code // as it was before releaseBarcodes
		}
		after := im.merge(before, r, found)
		switch {
		case !found:
			created = append(created, after)
		case !sameFields(&before, &after):
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
	setTimes(write, created, updated)
	writer := store.As[store.AssetWriter](write)
	if err := writer.CreateAssets(ctx, created); err != nil {
		return err
	}
	return writer.UpdateAssets(ctx, updated)
}

// existing returns the assets of the register that rows name.
func (im *importer) existing(
	ctx context.Context, tx store.ReadTx, rows []*row,
) (map[firemode.AssetID]firemode.Asset, error) {
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

// merge returns a with what the row says; found reports whether a is in the register.
func (im *importer) merge(a firemode.Asset, r *row, found bool) firemode.Asset {
	a.Org, a.Building, a.ID = im.org, im.building, r.asset.ID
	a.Type, a.System = r.typ.Code, r.typ.System
	switch {
	case !r.typ.byCode:
		a.Description = r.asset.Description
	case !found:
		a.Description = r.typ.Name
	}
	for _, f := range im.sheet.header.fields {
		f.copy(&a, &r.asset)
	}
	defaultStatus(&a)
	return a
}

// setTimes sets the times of assets that are about to be written.
func setTimes(tx store.Tx, created, updated []firemode.Asset) {
	for i := range created {
		created[i].Version, created[i].CreatedAt, created[i].UpdatedAt = 1, tx.Now(), tx.Now()
	}
	for i := range updated {
		updated[i].UpdatedAt = tx.Now()
	}
}
