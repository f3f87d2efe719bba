package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/view"
)

// mediaLines is JSON with one value on each line, for what is too long to be held whole at either end.
const mediaLines = "application/x-ndjson"

// wantsLines reports whether an answer is to be lines: only where that is named, and JSON is not named as better.
func wantsLines(r *http.Request, rt *Route) bool {
	if !rt.Lines {
		return false
	}
	weights := map[string]float64{}
	for item := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(item))
		if err != nil {
			continue
		}
		weights[media] = 1
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			weights[media] = q
		}
	}
	return weights[mediaLines] > 0 && weights[mediaLines] >= weights[mediaJSON]
}

// takes is every media type of the route's bodies, in words.
func (rt *Route) takes() string {
	if rt.Lines {
		return rt.Body.Media + " or " + mediaLines
	}
	return rt.Body.Media
}

// lines writes an answer line by line. Each is an object with one member, whose name tells what it is; the last is "end", with how
// many there were of each. An answer without it has been cut off.
type lines struct {
	out    io.Writer
	counts map[string]int
}

// write writes one line, and counts it under many unless that is "".
func (l *lines) write(one, many string, v any) error {
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	if many != "" {
		l.counts[many]++
	}
	var text bytes.Buffer
	text.WriteString(`{"` + one + `":`)
	if err := encodeJSON(&text, v); err != nil {
		return err
	}
	text.WriteString("}\n")
	_, err := l.out.Write(text.Bytes())
	return err
}

// linesSink writes the merged document as lines.
type linesSink struct {
	lines
	api *API
	x   *exchange
}

type leafLine struct {
	Path  crdt.Pointer   `json:"path"`
	Value jsontext.Value `json:"value"`
}

func (s *linesSink) Begin(v view.Header) error { return s.write("head", "", s.api.headOf(s.x, v)) }

func (s *linesSink) Leaf(r crdt.Reading) error {
	return s.write("leaf", "leaves", leafLine{r.Path, jsontext.Value(r.Value)})
}

func (s *linesSink) Conflict(c ledger.Conflict) error {
	return s.write("conflict", "conflicts", conflictOf(c))
}

func (s *linesSink) Removed(p crdt.Pointer) error { return s.write("removed", "removed", p) }

func (s *linesSink) Late(b ledger.Entry) error { return s.write("late", "late", lateOf(b)) }

func (s *linesSink) end() error {
	return s.write("end", "", endOfResults{s.counts["leaves"], s.counts["conflicts"], s.counts["removed"], s.counts["late"]})
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
	l := lines{out: out}
	head := receiptHead{r.Session, r.Status, r.Applied, r.Duplicates, r.Clock, r.Missing, r.Flags, r.Checkpoint, r.ProcessedAt}
	if err := l.write("receipt", "", head); err != nil {
		return err
	}
	for _, change := range r.Results {
		if err := l.write("result", "results", change); err != nil {
			return err
		}
	}
	for _, conflict := range r.Conflicts {
		if err := l.write("conflict", "conflicts", conflict); err != nil {
			return err
		}
	}
	return l.write("end", "", endOfReceipt{l.counts["results"], l.counts["conflicts"]})
}

// historyLines writes a page of a history.
func historyLines(out io.Writer, page list[changeRecord]) error {
	l := lines{out: out}
	for _, change := range page.Data {
		if err := l.write("change", "changes", change); err != nil {
			return err
		}
	}
	return l.write("end", "", endOfList{l.counts["changes"], page.NextCursor})
}

// writeLines answers what write writes.
func (a *API) writeLines(w http.ResponseWriter, r *http.Request, write func(io.Writer) error) error {
	return a.stream(w, r, func(_ context.Context, out io.Writer) error { return write(out) })
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
		if decodeJSONFrom(number, line, &members) == nil && isHead(members) {
			return true, b.takeHead(line, number)
		}
	}
	var change jsontext.Value
	if err := decodeJSONFrom(number, line, &change); err != nil {
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
	if err := decodeJSONFrom(number, line, &head); err != nil {
		return err
	}
	if err := exactNames(head.Others, "", "changes", "_sync_meta", "atomic"); err != nil {
		return err
	}
	if head.Changes != nil {
		e := firemode.Malformed("changes: in %s each change is a line of its own", mediaLines)
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
			field = join(field, e.Details[i].Field)
		}
		e.Details[i].Field = field
	}
	return e
}

// documentLines says of a response, or of a body, that it can be lines.
func documentLines(content map[string]*huma.MediaType, description string) {
	content[mediaLines] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: description}}
}
