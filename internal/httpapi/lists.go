package httpapi

import (
	"context"

	"firemode/internal/httpkit"
	"firemode/internal/store"
)

const defaultPage = 20

// Paging is embedded in the input of every list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"Most entries of one page"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
}

// list is the body of every list.
type list[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor" nullable:"true" doc:"Cursor of the next page, null on the last one"`
}

// page returns the page that a request asks for. It has one row more than the limit; if that row
// exists, there is a next page.
func (a *API) page(ctx context.Context, p Paging) (store.Page, error) {
	after, err := a.openCursor(ctx, p.Cursor)
	return store.Page{After: after, Limit: p.Limit + 1}, err
}

// listed returns the response of a list from the rows of a page.
func listed[Row, T any](
	ctx context.Context, a *API, p Paging, rows []store.Keyed[Row], convert func(Row) T,
) *httpkit.Reply[list[T]] {
	out := list[T]{Data: make([]T, 0, len(rows))}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		next := a.sealCursor(ctx, rows[p.Limit-1].Key)
		out.NextCursor = &next
	}
	for _, row := range rows {
		out.Data = append(out.Data, convert(row.Row))
	}
	return &httpkit.Reply[list[T]]{Body: out}
}

// sealCursor returns a cursor for the key of a row. It is signed with the list that it belongs to:
// path, filters and organisation.
func (a *API) sealCursor(ctx context.Context, after string) string {
	return a.cursors.Seal(orgOf(ctx), httpkit.StateOf(ctx).List(), after)
}

// openCursor returns the key in a cursor that sealCursor made for the same list. Any other cursor is
// CodeMalformed.
func (a *API) openCursor(ctx context.Context, cursor string) (after string, err error) {
	if cursor == "" {
		return "", nil
	}
	return a.cursors.Open(orgOf(ctx), httpkit.StateOf(ctx).List(), cursor)
}
