package assets

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"firemode"
)

// MaxRows is how many rows one import may have. It is above the register of any one building, and
// fits in memory.
const MaxRows = 50_000

// row is one valid row of a spreadsheet.
type row struct {
	line  int
	typ   typeCell
	asset firemode.Asset // the cells, in the register's form
}

// sheet is a spreadsheet, checked without looking at the register.
type sheet struct {
	header   header
	rows     []row // ids and barcodes are unique among them
	rejected []Rejection
}

// readSheet reads a CSV file to its end. It keeps the text of known columns, and some 600 bytes for
// each of at most MaxRows rows.
func readSheet(r io.Reader) (*sheet, error) {
	in := newCSVReader(r)
	first, err := in.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, firemode.Invalid("the file is empty; its first line must name the columns")
	case err != nil:
		return nil, err
	case first.fault != "":
		return nil, firemode.Invalid("the first line must name the columns: " + first.fault)
	}
	s := &sheet{}
	if s.header, err = readHeader(first.cells); err != nil {
		return nil, err
	}
	return s, s.readRows(in)
}

func (s *sheet) readRows(in *csvReader) error {
	p := rowParser{
		header: s.header, types: map[string]typeResult{}, ids: map[string]int{}, barcodes: map[string]int{},
	}
	for count := 1; ; count++ {
		rec, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if count > MaxRows {
			return firemode.TooLarge(
				"a register of more than %d rows cannot be imported at once; split the file",
				MaxRows,
			)
		}
		parsed, err := p.parse(rec)
		switch {
		case errors.Is(err, errBlankRow):
		case err != nil:
			s.rejected = append(s.rejected, Rejection{Line: rec.line, AssetID: p.rawID(rec), Reason: err.Error()})
		default:
			s.rows = append(s.rows, parsed)
		}
	}
}

var errBlankRow = errors.New("the row is blank")

// rowParser reads rows. It remembers what must be unique in a sheet.
type rowParser struct {
	header   header
	types    map[string]typeResult // by cell: a register repeats a few types many times
	ids      map[string]int        // line of the first row with this id
	barcodes map[string]int        // line of the row that has this barcode
}

type typeResult struct {
	typeCell
	err error
}

func (p *rowParser) parse(rec csvRecord) (row, error) {
	if rec.fault != "" {
		return row{}, errors.New(rec.fault)
	}
	if blank(rec.cells) {
		return row{}, errBlankRow
	}
	if len(rec.cells) != p.header.width {
		return row{}, fmt.Errorf("the row has %d cells where the first line has %d", len(rec.cells), p.header.width)
	}
	for i, cell := range rec.cells {
		rec.cells[i] = unescapeFormula(strings.TrimSpace(cell))
	}
	out := row{line: rec.line}
	err := p.identify(&out, rec)
	if err == nil {
		err = p.setType(&out, rec.cells[p.header.typ])
	}
	if err == nil {
		err = p.fill(&out, rec.cells)
	}
	if err == nil {
		err = p.claimBarcode(&out)
	}
	return out, err
}

func (p *rowParser) fill(out *row, cells []string) error {
	for _, f := range p.header.fields {
		cell := cells[f.cell]
		if f.name == "description" && cell == "" && !out.typ.byCode {
			continue // setType has set it
		}
		if err := f.set(&out.asset, cell); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// identify sets the id. An id belongs to the first row that has it, even if that row is rejected
// for something else: only the user can say which of the two rows describes the asset.
func (p *rowParser) identify(out *row, rec csvRecord) error {
	id := rec.cells[p.header.id]
	if err := checkAssetID(id); err != nil {
		return err
	}
	if first, taken := p.ids[id]; taken {
		return fmt.Errorf("the id is already on line %d", first)
	}
	p.ids[id] = rec.line
	out.asset.ID = firemode.AssetID(id)
	return nil
}

func (p *rowParser) setType(out *row, cell string) error {
	known, ok := p.types[cell]
	if !ok {
		known.typeCell, known.err = parseType(cell)
		p.types[cell] = known
	}
	if known.err != nil {
		return known.err
	}
	out.typ = known.typeCell
	if err := known.describe(&out.asset, cell); err != nil {
		return fmt.Errorf("type: %w", err)
	}
	return nil
}

func (p *rowParser) claimBarcode(out *row) error {
	code := out.asset.Barcode
	if code == "" {
		return nil
	}
	if first, taken := p.barcodes[code]; taken {
		return fmt.Errorf("the barcode %s is already on line %d", code, first)
	}
	p.barcodes[code] = out.line
	return nil
}

// rawID returns the id as it was written, for the report.
func (p *rowParser) rawID(rec csvRecord) string {
	if p.header.id >= len(rec.cells) {
		return ""
	}
	return firemode.Clip(oneLine(rec.cells[p.header.id]))
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}
