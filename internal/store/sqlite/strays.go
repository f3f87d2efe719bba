package sqlite

import (
	"context"
	"fmt"

	"firemode/internal/store"
	"firemode/internal/store/row"
)

const selectStrays = `SELECT DISTINCT '%[1]s', x.org, x.%[2]s
FROM %[1]s x WHERE %[3]s AND NOT EXISTS (SELECT 1 FROM %[4]s y WHERE %[5]s) ORDER BY 2, 3`

func (t *transaction) Strays(ctx context.Context) (strays []store.Stray, err error) {
	for _, b := range row.Belongings() {
		list, err := all(ctx, t, row.ScanStray, fmt.Sprintf(selectStrays, b.Table, b.Owner, b.Which, b.Of, b.By))
		if err != nil {
			return nil, err
		}
		strays = append(strays, list...)
	}
	return strays, nil
}
