package ledger

import (
	"encoding/json"
	"fmt"

	"firemode"
)

// StatusChange is what a status entry holds in place of changes. Its members stay in this order:
// the log hashes their bytes.
type StatusChange struct {
	AcceptGaps bool                   `json:"accept_gaps"`
	Reason     string                 `json:"reason"`
	Status     firemode.SessionStatus `json:"status"`
}

// Encode returns c as an entry holds it.
func (c StatusChange) Encode() ([]byte, error) { return json.Marshal(c) }

// ParseStatusChange reads what a status entry holds.
func ParseStatusChange(e Entry) (c StatusChange, err error) {
	if err = json.Unmarshal(e.Changes, &c); err != nil {
		err = fmt.Errorf("log entry %d: %w", e.Seq, err)
	}
	return c, err
}
