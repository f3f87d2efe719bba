package httpapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"

	"firemode"
	"firemode/internal/store"
)

const (
	defaultPage = 20
	macLength   = 16
)

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

// page turns the request's cursor into the store's words. It asks for one row more than wanted, whose being there
// tells that there is a next page.
func (a *API) page(ctx context.Context, p Paging) (store.Page, error) {
	after, err := a.openCursor(exchangeOf(ctx), p.Cursor)
	return store.Page{After: after, Limit: p.Limit + 1}, err
}

// listed makes the answer of a list out of rows that were asked for with page.
func listed[Row, T any](ctx context.Context, a *API, p Paging, rows []store.Keyed[Row], convert func(Row) T) *reply[list[T]] {
	out := list[T]{Data: make([]T, 0, len(rows))}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		next := a.sealCursor(exchangeOf(ctx), rows[p.Limit-1].Key)
		out.NextCursor = &next
	}
	for _, row := range rows {
		out.Data = append(out.Data, convert(row.Row))
	}
	return &reply[list[T]]{Body: out}
}

// sealCursor signs the key of a row together with the list it belongs to: path, filters and organisation.
func (a *API) sealCursor(x *exchange, after string) string {
	return a.sealFor(x, listOf(x), after)
}

// openCursor returns the key in a cursor that sealCursor made for the same list; CodeMalformed for any other.
func (a *API) openCursor(x *exchange, cursor string) (after string, err error) {
	if cursor == "" {
		return "", nil
	}
	return a.openFor(x, listOf(x), cursor)
}

func listOf(x *exchange) string { return x.path + "?" + filters(x.query) }

// sealFor signs content together with the organisation and what it is for.
func (a *API) sealFor(x *exchange, purpose, content string) string {
	return base64.RawURLEncoding.EncodeToString(append(a.cursorMAC(x, purpose, content), content...))
}

// openFor returns what sealFor signed for the same organisation and purpose; CodeMalformed for anything else.
func (a *API) openFor(x *exchange, purpose, cursor string) (content string, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < macLength {
		return "", badCursor()
	}
	content = string(raw[macLength:])
	if !hmac.Equal(raw[:macLength], a.cursorMAC(x, purpose, content)) {
		return "", badCursor()
	}
	return content, nil
}

func badCursor() error {
	e := firemode.Malformed("the cursor is not one of this list with these filters; begin again without one")
	e.Details = []firemode.Detail{{Field: "cursor", Reason: "is not one of this list"}}
	return e
}

func (a *API) cursorMAC(x *exchange, purpose, content string) []byte {
	sum := hmac.New(sha256.New, a.CursorKey)
	for _, part := range []string{"firemode cursor", string(x.principal.Org), purpose, content} {
		writeField(sum, []byte(part))
	}
	return sum.Sum(nil)[:macLength]
}

// filters is the query in one order, without what may change from page to page.
func filters(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	values.Del("cursor")
	values.Del("limit")
	return values.Encode()
}
