package assets

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"firemode"
)

// MaxRows is how many rows one import may have: more than the register of any one building, and few enough to be held in memory.
const MaxRows = 50_000

// row is one row of a spreadsheet that makes sense by itself.
type row struct {
	line  int
	kind  kind
	asset firemode.Asset // what the cells say, in the register's own form
}

// sheet is a spreadsheet as far as it can be understood without looking at the register.
type sheet struct {
	header   header
	rows     []row // ids and barcodes are unique among them
	rejected []Rejection
}

// readSheet reads a CSV file to its end. Its memory is the text of the columns it knows and some 600 bytes for each of at
// most MaxRows rows.
func readSheet(r io.Reader) (*sheet, error) {
	in := newRecords(r)
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

func (s *sheet) readRows(in *records) error {
	p := rowParser{header: s.header, kinds: map[string]kindResult{}, ids: map[string]int{}, barcodes: map[string]int{}}
	for count := 1; ; count++ {
		rec, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if count > MaxRows {
			return firemode.TooLarge("a register of more than %d rows cannot be imported at once; split the file", MaxRows)
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

var errBlankRow = errors.New("nothing is written in this row")

// rowParser reads rows, and remembers what may be there only once.
type rowParser struct {
	header   header
	kinds    map[string]kindResult // by cell: a register repeats a few types many times
	ids      map[string]int        // line of the first row with this id
	barcodes map[string]int        // line of the row that has this barcode
}

type kindResult struct {
	kind
	err error
}

func (p *rowParser) parse(rec record) (row, error) {
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
		rec.cells[i] = unguard(strings.TrimSpace(cell))
	}
	out := row{line: rec.line}
	err := p.identify(&out, rec)
	if err == nil {
		err = p.classify(&out, rec.cells[p.header.kind])
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
		if f.name == "description" && cell == "" && !out.kind.byCode {
			continue // the words of the type say it
		}
		if err := f.set(&out.asset, cell); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// identify sets the id. An id belongs to the first row that has it, even where that row is rejected for something else: which
// of the two describes the asset is for people to say.
func (p *rowParser) identify(out *row, rec record) error {
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

func (p *rowParser) classify(out *row, cell string) error {
	known, ok := p.kinds[cell]
	if !ok {
		known.kind, known.err = kindOf(cell)
		p.kinds[cell] = known
	}
	if known.err != nil {
		return known.err
	}
	out.kind = known.kind
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

// rawID is the id as it was written, for the report.
func (p *rowParser) rawID(rec record) string {
	if p.header.id >= len(rec.cells) {
		return ""
	}
	return firemode.Clip(line(rec.cells[p.header.id]))
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}
