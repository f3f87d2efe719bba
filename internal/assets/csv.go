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
type csvRecord struct {
	line  int // where it starts, from 1
	cells []string
	fault string // why it cannot be read, for the user; then there are no cells
}

// csvReader reads CSV by RFC 4180, and loses only one row to a fault. encoding/csv reads everything
// after an unclosed quote as one cell; here only the line with the quote is at fault, and reading
// goes on at the next.
//
// Beyond RFC 4180, quotes inside an unquoted cell stand for themselves (36" reel), and a quoted
// cell may have spaces around it.
type csvReader struct {
	in     *bufio.Reader
	at     int        // lines read so far
	ahead  []textLine // lines that were read while looking for the end of a quote, to be read once more
	reread int        // bytes of them, in all
	begun  bool
}

// textLine is one line of the file without its end.
type textLine struct {
	text string
	long bool // longer than maxRecord: there is no text
}

func newCSVReader(r io.Reader) *csvReader { return &csvReader{in: bufio.NewReaderSize(r, maxRecord)} }

// next returns the next record that is not an empty line, io.EOF after the last.
func (r *csvReader) next() (csvRecord, error) {
	for {
		first, err := r.readLine()
		switch {
		case err != nil:
			return csvRecord{}, err
		case first.long:
			return csvRecord{line: r.at, fault: "the row is longer than 64 KiB"}, nil
		case first.text != "":
			return r.from(first.text)
		}
	}
}

// from reads the record that starts with the line just read.
func (r *csvReader) from(first string) (csvRecord, error) {
	var s recordSplitter
	var more []textLine
	start, size := r.at, len(first)
	fault := s.feed(first)
	for fault == "" && s.quoted {
		next, err := r.readLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return csvRecord{}, err
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
		return csvRecord{line: start, cells: s.cells}, nil
	}
	return csvRecord{line: start, fault: fault}, r.unread(more)
}

// unread returns lines to the reader. It fails with CodeInvalid after maxReread bytes, so that a
// file of unclosed quotes cannot take quadratic time.
func (r *csvReader) unread(lines []textLine) error {
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

// readLine returns the next line.
func (r *csvReader) readLine() (textLine, error) {
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

// skip reads the rest of a line that is too long.
func (r *csvReader) skip() error {
	for {
		switch _, err := r.in.ReadSlice('\n'); {
		case err == nil, errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// notUTF8 refuses the file as a whole. A guess of Windows-1252 would mostly be right, but a wrong
// one would silently put wrong names into a register that people rely on.
func notUTF8(line int) error {
	return firemode.Invalid(fmt.Sprintf(
		"line %d is not UTF-8; save the file as UTF-8 (in Excel: \"CSV UTF-8\") and send it again", line))
}

// recordSplitter splits a record into cells, line by line. The zero value is at the start of a
// record.
type recordSplitter struct {
	cells  []string
	cell   []byte
	quoted bool // inside quotes: the record goes on with the next line
	closed bool // after the closing quote of a cell
}

// feed reads one line and returns its fault, "" if it has none.
func (s *recordSplitter) feed(text string) (fault string) {
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

func (s *recordSplitter) end() {
	s.cells = append(s.cells, string(s.cell))
	s.cell, s.closed = s.cell[:0], false
}
