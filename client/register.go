package client

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"firemode"
)

// ImportReport says what became of each row of a register.
type ImportReport struct {
	Created   int           `json:"created"`
	Updated   int           `json:"updated"`
	Unchanged int           `json:"unchanged"`
	Rejected  []RejectedRow `json:"rejected"`
	Omitted   int           `json:"rejected_omitted"` // rejections beyond those listed
}

// RejectedRow is a row that was not taken in.
type RejectedRow struct {
	Line    int    `json:"line"` // of the file, from 1: where the row starts
	AssetID string `json:"asset_id"`
	Reason  string `json:"reason"`
}

// ImportAssets streams a CSV file into the register of a building; with dryRun nothing is written. It is tried again only if
// the file is an io.Seeker, such as an *os.File.
func (c *Client) ImportAssets(ctx context.Context, b firemode.BuildingID, file io.Reader, dryRun bool) (r ImportReport, err error) {
	q := call{method: http.MethodPost, path: assets(b, "import"), stream: file}
	if dryRun {
		q.query = values("dry_run", strconv.FormatBool(dryRun))
	}
	_, err = c.do(ctx, q, &r)
	return r, err
}

// ExportAssets writes the register of a building to w, as ImportAssets takes it. An error may come after a part has been written.
func (c *Client) ExportAssets(ctx context.Context, b firemode.BuildingID, w io.Writer) error {
	_, err := c.do(ctx, get(assets(b, "export"), nil), w)
	return err
}
