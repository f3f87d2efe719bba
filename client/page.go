package client

import (
	"context"
	"iter"
	"maps"
	"net/url"
)

const pageSize = "100" // the largest that the API allows

// list returns the entries of a list, which it fetches page by page. The first error ends it.
func list[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query := maps.Clone(query)
		if query == nil {
			query = url.Values{}
		}
		query.Set("limit", pageSize)
		for {
			var page struct {
				Data []T     `json:"data"`
				Next *string `json:"next_cursor"`
			}
			if _, err := c.do(ctx, get(path, query), &page); err != nil {
				yield(*new(T), err)
				return
			}
			for _, entry := range page.Data {
				if !yield(entry, nil) {
					return
				}
			}
			if page.Next == nil {
				return
			}
			query.Set("cursor", *page.Next)
		}
	}
}

// Collect returns all entries of a list, or the error that ended it.
func Collect[T any](entries iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for entry, err := range entries {
		if err != nil {
			return nil, err
		}
		all = append(all, entry)
	}
	return all, nil
}

// values returns a query of alternating names and values, without the empty values.
func values(pairs ...string) url.Values {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Add(pairs[i], pairs[i+1])
		}
	}
	return query
}

// addAll adds each value to query under one name, and returns query.
func addAll[T ~string](query url.Values, name string, all []T) url.Values {
	for _, v := range all {
		query.Add(name, string(v))
	}
	return query
}
