package client

import (
	"context"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
)

// Submission is one POST of results. Meta may be empty: the server then counts for the client.
type Submission struct {
	Changes []Change `json:"changes"`
	Meta    Meta     `json:"_sync_meta"`
	Atomic  bool     `json:"atomic,omitzero"` // apply all changes or none
}

// Meta is what a client says about its batch.
type Meta struct {
	Client     string          `json:"client_id,omitzero"`
	ClientType string          `json:"client_type,omitzero"`
	BatchID    string          `json:"batch_id,omitzero"`
	PrevBatch  string          `json:"prev_batch_id,omitzero"`
	Clock      crdt.Clock      `json:"vector_clock,omitzero"` // the own entry is the number of this batch
	CapturedAt time.Time       `json:"captured_at,omitzero"`
	SentAt     time.Time       `json:"sent_at,omitzero"` // of the first attempt; SubmitResults puts it forward at each other
	OnBehalfOf firemode.UserID `json:"on_behalf_of,omitzero"`
}

// Receipt says what became of a submission. What it says was applied is durable.
type Receipt struct {
	Session     firemode.SessionID `json:"session_id"`
	Status      string             `json:"status"` // "merged", or "late" when the session is completed
	Applied     int                `json:"applied"`
	Duplicates  int                `json:"duplicates"`
	Results     []ChangeResult     `json:"results"`
	Clock       crdt.Clock         `json:"vector_clock"`
	Missing     crdt.Ranges        `json:"missing"` // numbers of this client that have not arrived
	Flags       []string           `json:"flags"`
	Conflicts   []Conflict         `json:"conflicts"`
	Checkpoint  string             `json:"checkpoint"` // signed note over the session's log, this batch included
	ProcessedAt time.Time          `json:"processed_at"`
	Replayed    bool               `json:"-"` // the stored answer of an earlier attempt
}

// ChangeResult says what became of one change: "applied", "duplicate", "superseded" or "rejected".
type ChangeResult struct {
	Index    int       `json:"index"`
	Status   string    `json:"status"`
	Reason   string    `json:"reason,omitzero"`
	Conflict *Conflict `json:"conflict,omitzero"` // beside a rejected resolve: the conflict as it is now
}

// Conflict is an open disagreement. Nothing in it has been lost; the first of Values is shown.
type Conflict struct {
	ID     string            `json:"id"`
	Path   crdt.Pointer      `json:"path"`
	Kind   crdt.ConflictKind `json:"kind"`
	Count  int               `json:"count"` // of all values; a receipt lists 20 at most
	Values []Sibling         `json:"values"`
}

// Sibling is one side of a conflict.
type Sibling struct {
	Dot         string          `json:"dot"`
	Path        crdt.Pointer    `json:"path,omitzero"` // where it stands, if below the conflict's path
	Op          crdt.Kind       `json:"op"`
	Value       jsontext.Value  `json:"value"`
	User        firemode.UserID `json:"user"`
	SubmittedBy firemode.UserID `json:"submitted_by,omitzero"`
	Client      string          `json:"client_id"`
	CapturedAt  time.Time       `json:"captured_at,omitzero"` // zero when not given
	ReceivedAt  time.Time       `json:"received_at"`
	Instrument  *Instrument     `json:"instrument,omitzero"`
	Source      string          `json:"source,omitzero"`
	Reason      string          `json:"reason,omitzero"`
	Flags       []string        `json:"flags"`
}

// Results is the merged document, or what changed in it.
type Results struct {
	Session    firemode.SessionID `json:"session_id"`
	Clock      crdt.Clock         `json:"vector_clock"`
	Cursor     string             `json:"cursor"` // for Since of the next query
	Epoch      int64              `json:"epoch"`  // another one than before: the server was restored from a backup
	Complete   bool               `json:"complete"`
	Document   jsontext.Value     `json:"document"`
	Conflicts  []Conflict         `json:"conflicts"`
	Removed    []crdt.Pointer     `json:"removed"`    // of a delta: paths at which nothing is shown any more
	Late       []LateBatch        `json:"late"`       // batches that wait for the session to be reopened
	Checkpoint string             `json:"checkpoint"` // signed note over the session's log
}

// LateBatch is a batch that came when the session was completed.
type LateBatch struct {
	Client     string          `json:"client_id"`
	Number     int64           `json:"number"`
	User       firemode.UserID `json:"user"`
	ReceivedAt time.Time       `json:"received_at"`
	Changes    []Change        `json:"changes"`
}

// ResultsQuery asks for results.
type ResultsQuery struct {
	Client string // who receives them; "" for nobody: then nothing counts as delivered
	Since  string // a cursor: only what changed after it; "" for everything
	Limit  int    // changes on a page of a delta, 0 for the server's default
}

// SubmitResults merges changes into a session. The same submission under the same key is one, however often it is sent; a copy
// of a client is told so by an *Error with a FreshClientID. Device does all of this.
func (c *Client) SubmitResults(ctx context.Context, id firemode.SessionID, key string, s Submission) (r Receipt, err error) {
	q := post(session(id, "results"), s).with(headerKey, key)
	if begun := c.now(); !s.Meta.SentAt.IsZero() {
		q.again = func() any { // the server compares it with the receipt
			later := s
			later.Meta.SentAt = s.Meta.SentAt.Add(c.now().Sub(begun))
			return later
		}
	}
	header, err := c.do(ctx, q, &r)
	r.Replayed = header.Get("Idempotency-Replayed") == "true"
	return r, err
}

// Results returns the merged document, or one page of what changed since a cursor.
func (c *Client) Results(ctx context.Context, id firemode.SessionID, q ResultsQuery) (r Results, err error) {
	query := values("since", q.Since)
	if q.Limit > 0 {
		query.Set("limit", strconv.Itoa(q.Limit))
	}
	_, err = c.do(ctx, get(session(id, "results"), query).with("X-Client-ID", q.Client), &r)
	return r, err
}
