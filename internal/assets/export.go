package assets

import (
	"context"
	"encoding/csv"
	"io"
	"strings"

	"firemode"
	"firemode/internal/store"
)

// Export writes the building's register as CSV that Import takes and finds unchanged: UTF-8 with a byte order mark, without
// which Excel takes it for something else, a line of headers, the type by its code. Baselines are not in it.
//
// The register is read page by page, so no transaction stays open while a slow client reads. An error after the first write
// leaves w with part of a file.
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
	cells := []string{guard(string(a.ID)), a.Type}
	for _, c := range columns {
		cells = append(cells, guard(*c.at(a)))
	}
	return cells
}

// formulaStarts are the characters at which a spreadsheet begins to calculate, their full-width forms among them.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// guard keeps a spreadsheet from taking a cell for a formula: an apostrophe before it makes it text. A cell that begins with
// apostrophes and then such a character gets one more, so that unguard is the exact reverse.
func guard(cell string) string {
	if formulaLike(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// unguard takes away the apostrophe that guard put there, or a person did for the same reason.
func unguard(cell string) string {
	rest, guarded := strings.CutPrefix(cell, "'")
	if guarded && formulaLike(strings.TrimLeft(rest, "'")) {
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
