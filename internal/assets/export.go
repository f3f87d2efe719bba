package assets

import (
	"context"
	"encoding/csv"
	"io"
	"strings"

	"firemode"
	"firemode/internal/store"
)

// Export writes the building's register as CSV that Import reads as unchanged: UTF-8 with a byte
// order mark, which Excel needs to recognise UTF-8, a line of headers, types as codes. It leaves
// out baselines.
//
// The register is read page by page, so no transaction stays open while a slow client reads. An
// error after the first write leaves w with part of a file.
func (s *Service) Export(ctx context.Context, building firemode.BuildingID, w io.Writer) error {
	if _, err := s.Get(ctx, building); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(exportHeader()); err != nil {
		return err
	}
	page := store.Page{Limit: chunk}
	for {
		list, err := s.Assets(ctx, building, store.AssetFilter{}, page)
		if err != nil {
			return err
		}
		for i := range list {
			if err := out.Write(exportRow(&list[i].Row)); err != nil {
				return err
			}
		}
		if len(list) < page.Limit {
			break
		}
		page.After = list[len(list)-1].Key
	}
	out.Flush()
	return out.Error()
}

func exportHeader() []string {
	names := []string{"asset_id", "type"}
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

func exportRow(a *firemode.Asset) []string {
	cells := []string{escapeFormula(string(a.ID)), a.Type}
	for _, c := range columns {
		cells = append(cells, escapeFormula(*c.at(a)))
	}
	return cells
}

// formulaStarts are the characters that begin a formula in a spreadsheet, with their full-width
// forms.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// escapeFormula keeps a spreadsheet from evaluating a cell as a formula: an apostrophe before it
// makes it text. A cell of apostrophes and then such a character gets one more, so that
// unescapeFormula is the exact inverse.
func escapeFormula(cell string) string {
	if formulaLike(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// unescapeFormula removes the apostrophe that escapeFormula, or a user for the same reason, put
// there.
func unescapeFormula(cell string) string {
	rest, escaped := strings.CutPrefix(cell, "'")
	if escaped && formulaLike(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return cell
}

func formulaLike(s string) bool { return s != "" && strings.ContainsAny(firstRune(s), formulaStarts) }

func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}
