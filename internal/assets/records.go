package assets

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"firemode"
)

const (
	maxRecord = 64 << 10 // bytes of one record
	maxReread = 16 << 20 // bytes looked at more than once, in all
)

// record is one row of a CSV file.
type record struct {
	line  int // the line on which it starts, from 1
	cells []string
	fault string // why it cannot be read, in plain words; then there are no cells
}

// records reads CSV as RFC 4180 has it, and lets a fault cost one row. encoding/csv takes all that follows a quote that is
// never closed for one cell; here the line with the quote is the faulty one, and reading goes on at the next.
//
// Beyond RFC 4180 it takes quotes inside an unquoted cell for themselves (36" reel), and spaces around a quoted cell.
type records struct {
	in     *bufio.Reader
	at     int        // lines taken so far
	ahead  []textLine // lines that were read to look for the end of a quote, to be taken again
	reread int        // bytes of them, in all
	begun  bool
}

// textLine is one line of the file without its end.
type textLine struct {
	text string
	long bool // longer than maxRecord: there is no text
}

func newRecords(r io.Reader) *records { return &records{in: bufio.NewReaderSize(r, maxRecord)} }

// next returns the next record that is not an empty line, io.EOF after the last.
func (r *records) next() (record, error) {
	for {
		first, err := r.take()
		switch {
		case err != nil:
			return record{}, err
		case first.long:
			return record{line: r.at, fault: "the row is longer than 64 KiB"}, nil
		case first.text != "":
			return r.from(first.text)
		}
	}
}

// from reads the record that starts with the line just taken.
func (r *records) from(first string) (record, error) {
	var s splitter
	var more []textLine
	start, size := r.at, len(first)
	fault := s.feed(first)
	for fault == "" && s.quoted {
		next, err := r.take()
		if err != nil && !errors.Is(err, io.EOF) {
			return record{}, err
		}
		if err == nil {
			more = append(more, next)
		}
		if size += len(next.text) + 1; err != nil || next.long || size > maxRecord {
			fault = "a quote is opened and never closed"
			break
		}
		fault = s.feed(next.text)
	}
	if fault == "" {
		return record{line: start, cells: s.cells}, nil
	}
	return record{line: start, fault: fault}, r.giveBack(more)
}

// giveBack lets lines be taken again, as long as that does not go on without end.
func (r *records) giveBack(lines []textLine) error {
	for _, l := range lines {
		r.reread += len(l.text) + 1
	}
	r.at -= len(lines)
	if r.reread > maxReread {
		return firemode.Invalid(fmt.Sprintf("the quotes in this file do not match, from line %d on", r.at))
	}
	r.ahead = append(lines, r.ahead...)
	return nil
}

// take returns the next line.
func (r *records) take() (textLine, error) {
	if len(r.ahead) > 0 {
		next := r.ahead[0]
		r.ahead = r.ahead[1:]
		r.at++
		return next, nil
	}
	raw, err := r.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		r.at++
		return textLine{long: true}, r.skip()
	case err != nil && (len(raw) == 0 || !errors.Is(err, io.EOF)):
		return textLine{}, err
	}
	r.at++
	if !r.begun {
		r.begun = true
		raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	}
	if !utf8.Valid(raw) {
		return textLine{}, notUTF8(r.at)
	}
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	return textLine{text: string(bytes.TrimSuffix(raw, []byte("\r")))}, nil
}

// skip passes over the rest of a line that is too long.
func (r *records) skip() error {
	for {
		switch _, err := r.in.ReadSlice('\n'); {
		case err == nil, errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// notUTF8 refuses the file as a whole. Taking it for Windows-1252 would mostly be right, and where it is not, wrong names would
// be in a register that people rely on, and nobody would know.
func notUTF8(line int) error {
	return firemode.Invalid(fmt.Sprintf("line %d is not UTF-8; save the file as UTF-8 (in Excel: \"CSV UTF-8\") and send it again", line))
}

// splitter takes a record apart line by line. The zero value is at the start of a record.
type splitter struct {
	cells  []string
	cell   []byte
	quoted bool // inside quotes: the record goes on with the next line
	closed bool // after the closing quote of a cell
}

// feed takes one line, and says what is wrong with it.
func (s *splitter) feed(text string) (fault string) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case s.quoted && c != '"':
			s.cell = append(s.cell, c)
		case s.quoted && i+1 < len(text) && text[i+1] == '"':
			s.cell = append(s.cell, '"')
			i++
		case s.quoted:
			s.quoted, s.closed = false, true
		case c == ',':
			s.end()
		case s.closed && (c == ' ' || c == '\t'):
		case s.closed:
			return "there is text after the closing quote of a cell"
		case c == '"' && len(bytes.TrimLeft(s.cell, " \t")) == 0:
			s.cell, s.quoted = s.cell[:0], true
		default:
			s.cell = append(s.cell, c)
		}
	}
	if s.quoted {
		s.cell = append(s.cell, '\n')
	} else {
		s.end()
	}
	return ""
}

func (s *splitter) end() {
	s.cells = append(s.cells, string(s.cell))
	s.cell, s.closed = s.cell[:0], false
}
