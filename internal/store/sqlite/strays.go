package sqlite

import (
	"context"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t readTx) Orphans(ctx context.Context) (strays []store.Orphan, err error) {
	for _, b := range row.ForeignKeys() {
		list, err := all(ctx, t, row.ScanOrphan, b.Orphans())
		if err != nil {
			return nil, err
		}
		strays = append(strays, list...)
	}
	return strays, nil
}
