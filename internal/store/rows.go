package store

// pageSize is how many rows EachRow reads at a time.
const pageSize = 1000

// EachRow calls fn for every row of a list, page by page, and stops at its first error.
func EachRow[T any](list func(Page) ([]Keyed[T], error), fn func(T) error) error {
	for after := ""; ; {
		rows, err := list(Page{After: after, Limit: pageSize})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r.Row); err != nil {
				return err
			}
			after = r.Key
		}
		if len(rows) < pageSize {
			return nil
		}
	}
}
