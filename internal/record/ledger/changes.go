package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/crdt"
)

// ChangesText is a JSON array of the canonical changes.
func ChangesText(changes []crdt.Change) []byte {
	text := []byte{'['}
	for i, c := range changes {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, c.Text...)
	}
	return append(text, ']')
}

// ParseChanges reads the changes of a log entry back.
func ParseChanges(b Entry) ([]crdt.Change, error) {
	var raw []jsontext.Value
	if err := json.Unmarshal(b.Changes, &raw); err != nil {
		return nil, fmt.Errorf("log entry %d: %w", b.Seq, err)
	}
	changes, err := crdt.ParseChanges(raw)
	if err != nil {
		return nil, fmt.Errorf("log entry %d: %w", b.Seq, err)
	}
	return changes, nil
}
