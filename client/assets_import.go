package client

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"firemode"
)

// ImportReport counts what an import did with the rows of a register, and lists the invalid ones.
type ImportReport struct {
	Created   int           `json:"created"`
	Updated   int           `json:"updated"`
	Unchanged int           `json:"unchanged"`
	Rejected  []RejectedRow `json:"rejected"`
	Omitted   int           `json:"rejected_omitted"` // invalid rows beyond those listed
}

// RejectedRow is a row that was not imported.
type RejectedRow struct {
	Line    int    `json:"line"` // of the file, from 1, where the row starts
	AssetID string `json:"asset_id"`
	Reason  string `json:"reason"`
}

// ImportAssets streams a CSV file into the register of a building; a dry run writes nothing.
// Invalid rows are reported, the rest are imported. The client retries only if the file is an
// io.Seeker, such as an *os.File.
func (c *Client) ImportAssets(
	ctx context.Context, b firemode.BuildingID, file io.Reader, dryRun bool,
) (r ImportReport, err error) {
	q := request{method: http.MethodPost, path: assets(b, "import"), stream: file}
	if dryRun {
		q.query = values("dry_run", strconv.FormatBool(dryRun))
	}
	_, err = c.do(ctx, q, &r)
	return r, err
}

// ExportAssets writes the register of a building to w as CSV, in the form that ImportAssets reads.
// After an error w may hold a part of it.
func (c *Client) ExportAssets(ctx context.Context, b firemode.BuildingID, w io.Writer) error {
	_, err := c.do(ctx, get(assets(b, "export"), nil), w)
	return err
}
