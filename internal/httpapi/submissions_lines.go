package httpapi

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
)

// submissionHead is the first line of an NDJSON body, if it concerns the whole batch.
type submissionHead struct {
	Meta    jsontext.Value `json:"_sync_meta"`
	Atomic  bool           `json:"atomic"`
	Changes jsontext.Value `json:"changes"`

	Others map[string]jsontext.Value `json:",embed"`
}

// decodeLines decodes an NDJSON body: a submissionHead, which may be missing, then one change per
// line. Blank lines are ignored. The result is the same as that of the JSON body with these parts.
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
			return wire, nil // the caller counts the changes and refuses them
		}
		first = false
	}
	return wire, nil
}

func (b *submissionBody) takeLine(line []byte, number int, first bool) (head bool, err error) {
	if first {
		var members map[string]jsontext.Value
		// What is not an object is not a head: it is parsed as a change.
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

// isHead reports whether an object concerns the whole batch. It ignores case: takeHead refuses
// names in the wrong case.
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

// inChange renames the fields of an error in a line to those of a JSON body.
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
