package client

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// Session is one service visit to a building.
type Session struct {
	ID          firemode.SessionID     `json:"session_id"`
	Building    firemode.BuildingID    `json:"building_id"`
	Name        string                 `json:"session_name"`
	Frequency   firemode.Frequency     `json:"frequency"`
	Technicians []firemode.UserID      `json:"technician_ids"`
	Status      firemode.SessionStatus `json:"status"`
	Reason      string                 `json:"reason"`
	Items       int                    `json:"item_count"`
	Checks      int                    `json:"check_count"`
	Done        int                    `json:"done_count"`
	Conflicts   int                    `json:"conflict_count"`
	Gaps        int                    `json:"gap_count"` // clients with a missing batch
	Clock       Clock                  `json:"vector_clock"`
	CreatedAt   time.Time              `json:"created_at"`
	CreatedBy   firemode.UserID        `json:"created_by"`
	CompletedAt time.Time              `json:"completed_at"` // zero unless completed
	ETag        string                 `json:"-"`
}

// NewSession is a visit to plan.
type NewSession struct {
	ID          firemode.SessionID  `json:"session_id,omitzero"` // "" for a generated one
	Building    firemode.BuildingID `json:"building_id"`
	Name        string              `json:"session_name"`
	Frequency   firemode.Frequency  `json:"frequency"`
	Technicians []firemode.UserID   `json:"technician_ids,omitzero"` // none for every technician
}

// SessionPatch changes a session; nil and empty fields stay as they are.
type SessionPatch struct {
	Name        *string                `json:"session_name,omitzero"`
	Technicians *[]firemode.UserID     `json:"technician_ids,omitzero"`
	Status      firemode.SessionStatus `json:"status,omitzero"`      // completed or reopened
	Reason      string                 `json:"reason,omitzero"`      // required to reopen and to accept gaps
	AcceptGaps  bool                   `json:"accept_gaps,omitzero"` // complete although batches are missing
}

// SessionFilter narrows a list of sessions; an empty field matches everything.
type SessionFilter struct {
	Statuses   []firemode.SessionStatus
	Building   firemode.BuildingID
	Technician firemode.UserID
	From, To   string // creation, a date or an RFC 3339 time; both inclusive
}

// Item is one thing to inspect in one visit.
type Item struct {
	ID        firemode.ItemID    `json:"item_id"`
	Kind      firemode.AssetKind `json:"kind"`
	Type      string             `json:"asset_type"`
	Name      string             `json:"name"`
	System    string             `json:"system"`
	Level     string             `json:"level"`
	Location  []string           `json:"location"`
	Position  int                `json:"position"` // in walking order
	Checks    []Check            `json:"checks"`
	Baselines []Baseline         `json:"baselines"`
	Last      *LastResult        `json:"last_result"`
	State     firemode.ItemState `json:"state"`
	Outcome   string             `json:"outcome"`
	Missing   []string           `json:"missing"` // why State is incomplete
}

// Check is one rule that is due on an item.
type Check struct {
	Rule       firemode.RuleCode         `json:"rule_code"`
	Version    string                    `json:"version"`
	Name       string                    `json:"rule_name"`
	Conditions map[string]firemode.Class `json:"conditions"`
	Expected   []Limit                   `json:"expected"`
}

// LastResult is what the previous completed visit found.
type LastResult struct {
	Session      firemode.SessionID        `json:"session_id"`
	CompletedAt  time.Time                 `json:"completed_at"`
	Outcome      string                    `json:"outcome"`
	Measurements map[string]jsontext.Value `json:"measurements"`
}

// ItemFilter narrows a list of items; an empty field matches everything.
type ItemFilter struct {
	Level, System string
	States        []firemode.ItemState
	Text          string // part of id, name or location, in any case
}

// CreateSession plans a visit.
func (c *Client) CreateSession(ctx context.Context, n NewSession) (s Session, err error) {
	err = c.fetch(ctx, post(path("tests", "sessions"), n), &s, &s.ETag)
	return s, err
}

// Sessions lists sessions, newest first.
func (c *Client) Sessions(ctx context.Context, f SessionFilter) iter.Seq2[Session, error] {
	query := values("building_id", string(f.Building), "technician_id", string(f.Technician),
		"date_from", f.From, "date_to", f.To)
	return list[Session](ctx, c, path("tests", "sessions"), addAll(query, "status", f.Statuses))
}

// Session returns one session.
func (c *Client) Session(ctx context.Context, id firemode.SessionID) (s Session, err error) {
	err = c.fetch(ctx, get(session(id), nil), &s, &s.ETag)
	return s, err
}

// PatchSession changes, completes or reopens a session. If the version of the session is not etag,
// the error has status 412.
func (c *Client) PatchSession(
	ctx context.Context, id firemode.SessionID, etag string, p SessionPatch,
) (s Session, err error) {
	err = c.fetch(ctx, patch(session(id), etag, p), &s, &s.ETag)
	return s, err
}

// Items lists what there is to inspect, in walking order.
func (c *Client) Items(ctx context.Context, id firemode.SessionID, f ItemFilter) iter.Seq2[Item, error] {
	query := values("level", f.Level, "system", f.System, "q", f.Text)
	return list[Item](ctx, c, session(id, "items"), addAll(query, "state", f.States))
}

func session(id firemode.SessionID, rest ...string) string {
	return path(append([]string{"tests", "sessions", string(id)}, rest...)...)
}

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
