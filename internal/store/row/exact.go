package row

import (
	"context"
	"strings"

	"firemode/internal/store"
)

// Read scans one row of a query, exactly if ctx asks for it. A row that cannot be scanned is store.Damage.
func Read[T any](ctx context.Context, query string, scan func(Scanner) (T, error), r Scanner) (T, error) {
	if store.Exact(ctx) {
		r = exact{r}
	}
	v, err := scan(r)
	if err != nil && ctx.Err() == nil {
		err = &store.Damage{Table: tableOf(query), Err: err}
	}
	return v, err
}

// exact is a row whose JSON columns must be as they were written.
type exact struct{ Scanner }

func (e exact) Scan(dest ...any) error {
	for i, d := range dest {
		if column, ok := d.(store.JSONColumn); ok {
			dest[i] = store.ExactColumn{JSONColumn: column}
		}
	}
	return e.Scanner.Scan(dest...)
}

// tableOf is the table that a query is about: the one after the FROM that begins a line, else after the first.
func tableOf(query string) string {
	_, after, own := strings.Cut(query, "\nFROM ")
	if !own {
		_, after, _ = strings.Cut(query, "FROM ")
	}
	if names := strings.Fields(after); len(names) > 0 {
		return names[0]
	}
	return ""
}
