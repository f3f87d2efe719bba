package client

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
)

// Bundle is everything that a technician needs for one session with no network.
type Bundle struct {
	Session   firemode.SessionID `json:"session_id"`
	Timestamp time.Time          `json:"timestamp"` // receipt of the last change in it
	Clock     crdt.Clock         `json:"vector_clock"`
	Data      BundleData         `json:"data"`
	ETag      string             `json:"-"`
	Unchanged bool               `json:"-"` // the caller has it already; all else but the ETag is empty
}

// BundleData is the content of a bundle.
type BundleData struct {
	Building Building `json:"building"`
	Assets   []Asset  `json:"assets"`
	Items    []Item   `json:"items"` // in walking order
	Rules    []Rule   `json:"rules"` // the versions that the checks are pinned to
	Faults   []Defect `json:"prior_faults"`
	Results  Results  `json:"results"`
}

// BundleQuery asks for a bundle.
type BundleQuery struct {
	Client string // who receives it; "" for nobody: then nothing counts as delivered
	ETag   string // of a bundle that the caller has
}

// Bundle returns the offline bundle of a session.
func (c *Client) Bundle(ctx context.Context, id firemode.SessionID, q BundleQuery) (b Bundle, err error) {
	asked := get(session(id, "offline_bundle"), nil).with("X-Client-ID", q.Client).with("If-None-Match", q.ETag)
	err = c.fetch(ctx, asked, &b, &b.ETag)
	b.Unchanged = err == nil && b.Session == ""
	return b, err
}
