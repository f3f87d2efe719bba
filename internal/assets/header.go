package assets

import (
	"slices"
	"strings"
)

// The headers of the two required columns, as foldWords returns them. Earlier ones win.
var (
	idHeaders = []string{
		"asset id", "assetid", "asset no", "asset number", "asset num", "asset tag", "tag", "tag no", "tag number",
		"tag id", "asset ref", "asset reference", "equipment id", "asset", "id", "ref",
	}
	typeHeaders = []string{
		"type", "asset type", "equipment type", "item type", "equipment", "item", "description", "asset description",
		"item description",
	}
)

// header maps the cells of a row to columns. Cells of unknown columns are not read.
type header struct {
	width  int
	id     int
	typ    int
	fields []headerField // in the order of columns
}

type headerField struct {
	*column
	cell int
}

// readHeader finds the columns. If two cells could be the same column, the earlier synonym wins.
// The id and the type are found first, so that "description" is the type if no better header is.
func readHeader(cells []string) (header, error) {
	names := make([]string, len(cells))
	for i, c := range cells {
		names[i] = foldWords(c)
	}
	used := map[int]bool{}
	find := func(headers ...string) int {
		for _, h := range headers {
			if i := slices.Index(names, h); i >= 0 && !used[i] {
				used[i] = true
				return i
			}
		}
		return -1
	}
	h := header{width: len(cells), id: find(idHeaders...), typ: find(typeHeaders...)}
	for _, c := range columns {
		if cell := find(append([]string{foldWords(c.name)}, c.synonyms...)...); cell >= 0 {
			h.fields = append(h.fields, headerField{c, cell})
		}
	}
	return h, h.checkRequired()
}

// checkRequired names the required columns that are missing.
func (h header) checkRequired() error {
	var missing faults
	if h.id < 0 {
		missing.add("asset_id", "there is no such column; its header may also be Asset no, Tag or ID")
	}
	if h.typ < 0 {
		missing.add("type", "there is no such column; its header may also be Asset type or Description")
	}
	names := make([]string, len(missing))
	for i, m := range missing {
		names[i] = m.Field
	}
	return missing.err("the first line must name the columns, and has none for " + strings.Join(names, " and "))
}
