package client

import (
	"context"
	"time"

	"firemode"
)

// Bundle is everything that a technician needs for one session without a network.
type Bundle struct {
	Session   firemode.SessionID `json:"session_id"`
	Timestamp time.Time          `json:"timestamp"` // when the server received the last change in it
	Clock     Clock              `json:"vector_clock"`
	Data      BundleData         `json:"data"`
	ETag      string             `json:"-"`
	Unchanged bool               `json:"-"` // BundleQuery.ETag is current; all other fields but ETag are zero
}

// BundleData is the content of a bundle.
type BundleData struct {
	Building Building `json:"building"`
	Assets   []Asset  `json:"assets"`
	Items    []Item   `json:"items"` // in walking order
	Rules    []Rule   `json:"rules"` // the versions to which the checks are pinned
	Faults   []Defect `json:"prior_faults"`
	Results  Results  `json:"results"`
}

// BundleQuery selects a bundle.
type BundleQuery struct {
	Client string // the client id that receives it; "" if nothing is to count as delivered
	ETag   string // of the bundle that the caller already has, "" for none
}

// Bundle returns the offline bundle of a session. Device.Bundle also shows its results.
func (c *Client) Bundle(ctx context.Context, id firemode.SessionID, q BundleQuery) (b Bundle, err error) {
	r := get(session(id, "offline_bundle"), nil).with("X-Client-ID", q.Client).with("If-None-Match", q.ETag)
	err = c.fetch(ctx, r, &b, &b.ETag)
	b.Unchanged = err == nil && b.Session == ""
	return b, err
}
