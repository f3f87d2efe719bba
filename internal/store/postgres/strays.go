package postgres

import (
	"context"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

func (t *transaction) Strays(ctx context.Context) (strays []store.Stray, err error) {
	for _, b := range row.Belongings() {
		list, err := all(ctx, t, row.ScanStray, b.Strays())
		if err != nil {
			return nil, err
		}
		strays = append(strays, list...)
	}
	return strays, nil
}
