package client

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
)

// SyncStatus is how far a session and its clients are.
type SyncStatus struct {
	Session    firemode.SessionID     `json:"session_id"`
	Status     firemode.SessionStatus `json:"status"`
	Clock      crdt.Clock             `json:"vector_clock"`
	Sequence   int64                  `json:"sequence"`
	Epoch      int64                  `json:"epoch"`
	Items      int                    `json:"item_count"`
	Done       int                    `json:"done_count"`
	Conflicts  int                    `json:"conflict_count"`
	Gaps       int                    `json:"gap_count"`
	Late       int                    `json:"late_count"`
	Checkpoint string                 `json:"checkpoint"` // signed note over the session's log
	Clients    []SyncClient           `json:"clients"`
}

// SyncClient is how far one client is.
type SyncClient struct {
	Client     string          `json:"client_id"`
	User       firemode.UserID `json:"user"`
	ClientType string          `json:"client_type"`
	Run        int64           `json:"run"` // batches 1 to this number are part of the document
	Missing    crdt.Ranges     `json:"missing"`
	LastSync   time.Time       `json:"last_sync"`
}

// SyncStatus returns how far a session and its clients are. It delivers nothing.
func (c *Client) SyncStatus(ctx context.Context, id firemode.SessionID) (s SyncStatus, err error) {
	_, err = c.do(ctx, get(session(id, "sync_status"), nil), &s)
	return s, err
}
