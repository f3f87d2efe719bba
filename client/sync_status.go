package client

import (
	"context"
	"time"

	"firemode"
)

// SyncStatus reports the progress of a session and of its clients.
type SyncStatus struct {
	Session    firemode.SessionID     `json:"session_id"`
	Status     firemode.SessionStatus `json:"status"`
	Clock      Clock                  `json:"vector_clock"`
	Sequence   int64                  `json:"sequence"` // of the last entry of the log
	Epoch      int64                  `json:"epoch"`
	Items      int                    `json:"item_count"`
	Done       int                    `json:"done_count"`
	Conflicts  int                    `json:"conflict_count"`
	Gaps       int                    `json:"gap_count"`
	Late       int                    `json:"late_count"`
	Checkpoint string                 `json:"checkpoint"` // signed note over the session's log
	Clients    []SyncClient           `json:"clients"`
}

// SyncClient reports the progress of one client.
type SyncClient struct {
	Client     string          `json:"client_id"`
	User       firemode.UserID `json:"user"`
	ClientType string          `json:"client_type"`
	Prefix     int64           `json:"run"` // batches 1 to this number are part of the document
	Missing    Ranges          `json:"missing"`
	LastSync   time.Time       `json:"last_sync"`
}

// SyncStatus returns the progress of a session and of its clients. Nothing in it counts as
// delivered.
func (c *Client) SyncStatus(ctx context.Context, id firemode.SessionID) (s SyncStatus, err error) {
	_, err = c.do(ctx, get(session(id, "sync_status"), nil), &s)
	return s, err
}
