package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/view"
)

// linesSink writes the merged document as lines.
type linesSink struct {
	lines   *httpkit.LineWriter
	cursors httpkit.Cursors
	org     firemode.OrgID
}

type leafLine struct {
	Path  crdt.Pointer   `json:"path"`
	Value jsontext.Value `json:"value"`
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
	return s.lines.Write("end", "", endOfResults{s.lines.Count("leaves"), s.lines.Count("conflicts"), s.lines.Count("removed"), s.lines.Count("late")})
}

type endOfResults struct {
	Leaves    int `json:"leaves"`
	Conflicts int `json:"conflicts"`
	Removed   int `json:"removed"`
	Late      int `json:"late"`
}

type endOfReceipt struct {
	Results   int `json:"results"`
	Conflicts int `json:"conflicts"`
}

type endOfList struct {
	Changes    int     `json:"changes"`
	NextCursor *string `json:"next_cursor"`
}

// receiptLines writes a receipt: what is of the whole batch first, then what became of each change.
func receiptLines(out io.Writer, r receiptBody) error {
	l := httpkit.NewLineWriter(out)
	head := receiptHead{r.Session, r.Status, r.Applied, r.Duplicates, r.Clock, r.Missing, r.Flags, r.Checkpoint, r.ProcessedAt}
	if err := l.Write("receipt", "", head); err != nil {
		return err
	}
	for _, change := range r.Results {
		if err := l.Write("result", "results", change); err != nil {
			return err
		}
	}
	for _, conflict := range r.Conflicts {
		if err := l.Write("conflict", "conflicts", conflict); err != nil {
			return err
		}
	}
	return l.Write("end", "", endOfReceipt{l.Count("results"), l.Count("conflicts")})
}

// historyLines writes a page of a history.
func historyLines(out io.Writer, page list[changeRecord]) error {
	l := httpkit.NewLineWriter(out)
	for _, change := range page.Data {
		if err := l.Write("change", "changes", change); err != nil {
			return err
		}
	}
	return l.Write("end", "", endOfList{l.Count("changes"), page.NextCursor})
}

// decodeLines reads a body of lines: first, if there is anything to say of the whole, an object with _sync_meta and atomic, then a
// change on each line. Blank lines are nothing. It comes to the same submission as the JSON body that has these parts.
func decodeLines(body []byte) (wire submissionBody, err error) {
	wire.Changes = []jsontext.Value{}
	number, first := 0, true
	for line := range bytes.SplitSeq(body, []byte{'\n'}) {
		number++
		if len(bytes.Trim(line, " \t\r")) == 0 {
			continue
		}
		head, err := wire.takeLine(line, number, first)
		if err != nil {
			return wire, err
		}
		if !head && len(wire.Changes) > crdt.MaxChanges {
			return wire, nil // refused by whoever counts them
		}
		first = false
	}
	return wire, nil
}

func (b *submissionBody) takeLine(line []byte, number int, first bool) (head bool, err error) {
	if first {
		var members map[string]jsontext.Value
		// What is no object is no head: it is judged as a change.
		if httpkit.DecodeJSONFrom(number, line, &members) == nil && isHead(members) {
			return true, b.takeHead(line, number)
		}
	}
	var change jsontext.Value
	if err := httpkit.DecodeJSONFrom(number, line, &change); err != nil {
		return false, inChange(len(b.Changes), err)
	}
	b.Changes = append(b.Changes, change)
	return false, nil
}

// isHead reports whether an object says something of the whole batch, however it is spelt; misspellings are refused later.
func isHead(members map[string]jsontext.Value) bool {
	for name := range members {
		switch strings.ToLower(name) {
		case "_sync_meta", "atomic", "changes":
			return true
		}
	}
	return false
}

func (b *submissionBody) takeHead(line []byte, number int) error {
	var head submissionHead
	if err := httpkit.DecodeJSONFrom(number, line, &head); err != nil {
		return err
	}
	if err := exactNames(head.Others, "", "changes", "_sync_meta", "atomic"); err != nil {
		return err
	}
	if head.Changes != nil {
		e := firemode.Malformed("changes: in %s each change is a line of its own", httpkit.MediaLines)
		e.Details = []firemode.Detail{{Field: "changes", Reason: "each change is a line of its own"}}
		return e
	}
	b.Meta, b.Atomic = head.Meta, head.Atomic
	return nil
}

// submissionHead is the first line of a body of lines.
type submissionHead struct {
	Meta    jsontext.Value `json:"_sync_meta"`
	Atomic  bool           `json:"atomic"`
	Changes jsontext.Value `json:"changes"`

	Others map[string]jsontext.Value `json:",embed"`
}

// inChange names the fields of a malformed line as they are named in a JSON body.
func inChange(index int, err error) error {
	e, ok := err.(*firemode.Error) //nolint:errorlint // it has just been made
	if !ok {
		return err
	}
	for i := range e.Details {
		field := fmt.Sprintf("changes[%d]", index)
		if e.Details[i].Field != "body" {
			field = httpkit.JoinField(field, e.Details[i].Field)
		}
		e.Details[i].Field = field
	}
	return e
}
