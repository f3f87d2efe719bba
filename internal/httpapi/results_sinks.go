package httpapi

import (
	"bytes"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/view"
)

// endingSink is a Sink whose output is complete once end has returned.
type endingSink interface {
	view.Sink
	end() error
}

// resultsSink writes results as JSON.
type resultsSink struct {
	cursors  httpkit.Cursors
	org      firemode.OrgID
	out      io.Writer
	view     view.Header
	document *crdt.Composer // nil after the end of the document
	list     string         // the member whose list is open, "" for none
	rest     []string
}

func (s *resultsSink) Begin(v view.Header) error {
	s.view = v
	var text bytes.Buffer
	if err := httpkit.EncodeJSON(&text, headOf(s.cursors, s.org, v)); err != nil {
		return err
	}
	s.document, s.rest = crdt.NewComposer(s.out), []string{"conflicts", "removed", "late"}
	_, err := s.out.Write(append(bytes.TrimSuffix(text.Bytes(), []byte{'}'}), `,"document":`...))
	return err
}

func (s *resultsSink) Leaf(r crdt.Reading) error { return s.document.Leaf(r) }

func (s *resultsSink) Conflict(c ledger.Conflict) error { return s.entry("conflicts", conflictOf(c)) }

func (s *resultsSink) Removed(p crdt.Pointer) error { return s.entry("removed", p) }

func (s *resultsSink) Late(b ledger.Entry) error { return s.entry("late", lateOf(b)) }

func (s *resultsSink) closeDocument() error {
	if s.document == nil {
		return nil
	}
	document := s.document
	s.document = nil
	return document.End()
}

// entry adds v to the list of a member. It opens that list, and those before it, if needed.
func (s *resultsSink) entry(list string, v any) error {
	if err := s.closeDocument(); err != nil {
		return err
	}
	var text bytes.Buffer
	if s.list == list {
		text.WriteByte(',')
	}
	for s.list != list {
		s.next(&text)
	}
	if err := httpkit.EncodeJSON(&text, v); err != nil {
		return err
	}
	_, err := s.out.Write(text.Bytes())
	return err
}

// next closes the open list, if any, and opens the next one.
func (s *resultsSink) next(text *bytes.Buffer) {
	if s.list != "" {
		text.WriteByte(']')
	}
	s.list, s.rest = s.rest[0], s.rest[1:]
	text.WriteString(`,"` + s.list + `":[`)
}

func (s *resultsSink) end() error {
	if err := s.closeDocument(); err != nil {
		return err
	}
	var text bytes.Buffer
	for len(s.rest) > 0 {
		s.next(&text)
	}
	text.WriteString("]}")
	_, err := s.out.Write(text.Bytes())
	return err
}

// linesSink writes results as NDJSON.
type linesSink struct {
	lines   *httpkit.LineWriter
	cursors httpkit.Cursors
	org     firemode.OrgID
}

type leafLine struct {
	Path  crdt.Pointer   `json:"path"`
	Value jsontext.Value `json:"value"`
}

type endOfResults struct {
	Leaves    int `json:"leaves"`
	Conflicts int `json:"conflicts"`
	Removed   int `json:"removed"`
	Late      int `json:"late"`
}

func (s *linesSink) Begin(v view.Header) error {
	return s.lines.Write("head", "", headOf(s.cursors, s.org, v))
}

func (s *linesSink) Leaf(r crdt.Reading) error {
	return s.lines.Write("leaf", "leaves", leafLine{r.Path, jsontext.Value(r.Value)})
}

func (s *linesSink) Conflict(c ledger.Conflict) error {
	return s.lines.Write("conflict", "conflicts", conflictOf(c))
}

func (s *linesSink) Removed(p crdt.Pointer) error { return s.lines.Write("removed", "removed", p) }

func (s *linesSink) Late(b ledger.Entry) error { return s.lines.Write("late", "late", lateOf(b)) }

func (s *linesSink) end() error {
	l := s.lines
	return l.Write("end", "", endOfResults{l.Count("leaves"), l.Count("conflicts"), l.Count("removed"), l.Count("late")})
}
