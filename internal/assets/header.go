package assets

import (
	"slices"

	"firemode"
)

// The two columns that every register must have, by the headers under which they go (see words), the surest first.
var (
	idHeaders = []string{
		"asset id", "assetid", "asset no", "asset number", "asset num", "asset tag", "tag", "tag no", "tag number", "tag id",
		"asset ref", "asset reference", "equipment id", "asset", "id", "ref",
	}
	typeHeaders = []string{
		"type", "asset type", "equipment type", "item type", "equipment", "item", "description", "asset description", "item description",
	}
)

// header says which cell of a row is what. A cell nobody knows is not read.
type header struct {
	width  int
	id     int
	kind   int
	fields []headerField // in the order of columns
}

type headerField struct {
	*column
	cell int
}

// readHeader finds the columns. Of two that could be the same thing the surer header is taken; the id and the type are
// found first, so that "description" is the type where nothing better is.
func readHeader(cells []string) (header, error) {
	names := make([]string, len(cells))
	for i, c := range cells {
		names[i] = words(c)
	}
	taken := map[int]bool{}
	find := func(headers ...string) int {
		for _, h := range headers {
			if i := slices.Index(names, h); i >= 0 && !taken[i] {
				taken[i] = true
				return i
			}
		}
		return -1
	}
	h := header{width: len(cells), id: find(idHeaders...), kind: find(typeHeaders...)}
	for _, c := range columns {
		if cell := find(append([]string{words(c.name)}, c.synonyms...)...); cell >= 0 {
			h.fields = append(h.fields, headerField{c, cell})
		}
	}
	return h, h.complete()
}

// complete refuses a header without which no row can be read, and names what is missing.
func (h header) complete() error {
	var missing []firemode.Detail
	if h.id < 0 {
		missing = append(missing, firemode.Detail{Field: "asset_id", Reason: "there is no such column; its header may also be Asset no, Tag or ID"})
	}
	if h.kind < 0 {
		missing = append(missing, firemode.Detail{Field: "type", Reason: "there is no such column; its header may also be Asset type or Description"})
	}
	if missing == nil {
		return nil
	}
	message := "the first line must name the columns, and has none for"
	for i, m := range missing {
		if i > 0 {
			message += " and"
		}
		message += " " + m.Field
	}
	return firemode.Invalid(message, missing...)
}
