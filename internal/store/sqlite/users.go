package sqlite

import (
	"context"

	"firemode"
	"firemode/internal/store/row"
)

func (t readTx) UsersByID(ctx context.Context, org firemode.OrgID, ids []firemode.UserID) ([]firemode.User, error) {
	return row.All(ctx, t.sql, row.ScanUser, row.SelectUsers+" WHERE org = ? AND id IN (SELECT value "+
		"FROM json_each(?))", org, array(ids))
}
