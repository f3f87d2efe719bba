package client

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// Submission is one batch of changes as it is posted. If Meta is zero, the server numbers the batch
// itself.
type Submission struct {
	Changes []Change `json:"changes"` // at most 5 000
	Meta    Meta     `json:"_sync_meta"`
	Atomic  bool     `json:"atomic,omitzero"` // apply all changes or none
}

// Meta is what a client states about a batch.
type Meta struct {
	Client     string `json:"client_id,omitzero"`
	ClientType string `json:"client_type,omitzero"`
	BatchID    string `json:"batch_id,omitzero"`
	PrevBatch  string `json:"prev_batch_id,omitzero"`
	// Clock is what the writer had seen when the batch was recorded; the entry of Client is the
	// number of the batch.
	Clock      Clock           `json:"vector_clock,omitzero"`
	CapturedAt time.Time       `json:"captured_at,omitzero"`
	SentAt     time.Time       `json:"sent_at,omitzero"` // of the first attempt; SubmitResults advances it
	OnBehalfOf firemode.UserID `json:"on_behalf_of,omitzero"`
}

// Receipt acknowledges a submission. What it reports as applied is durable.
type Receipt struct {
	Session     firemode.SessionID `json:"session_id"`
	Status      string             `json:"status"` // "merged", or "late" if the session is completed
	Applied     int                `json:"applied"`
	Duplicates  int                `json:"duplicates"`
	Results     []ChangeResult     `json:"results"`
	Clock       Clock              `json:"vector_clock"`
	Missing     Ranges             `json:"missing"` // batch numbers of this client that the server has not received
	Flags       []string           `json:"flags"`
	Conflicts   []Conflict         `json:"conflicts"`
	Checkpoint  string             `json:"checkpoint"` // signed note over the session's log, this batch included
	ProcessedAt time.Time          `json:"processed_at"`
	Replayed    bool               `json:"-"` // the stored response of an earlier attempt
}

// ChangeResult reports what the server did with one change: "applied", "duplicate", "superseded" or
// "rejected".
type ChangeResult struct {
	Index    int       `json:"index"` // in Submission.Changes
	Status   string    `json:"status"`
	Reason   string    `json:"reason,omitzero"`   // of a rejection
	Conflict *Conflict `json:"conflict,omitzero"` // of a rejected OpResolve: the conflict as it is now
}

// ConflictKind says how the readings of a conflict disagree.
type ConflictKind string

// The kinds of conflicts.
const (
	ConflictValue   ConflictKind = "value"   // different values, or a value and an increment
	ConflictRemoved ConflictKind = "removed" // one writer removed what another one wrote
	ConflictShape   ConflictKind = "shape"   // a value, and values below it
	ConflictType    ConflictKind = "type"    // increments of something that is not a number
)

// Conflict is an open disagreement between writers who had not seen each other's changes. Nothing
// in it is lost; the document shows the first of Values. Resolve settles it.
type Conflict struct {
	ID     string       `json:"id"`
	Path   Pointer      `json:"path"`
	Kind   ConflictKind `json:"kind"`
	Count  int          `json:"count"` // of all values; a receipt lists at most 20
	Values []Sibling    `json:"values"`
}

// Sibling is one of the readings of a conflict, and how it came about.
type Sibling struct {
	Dot         string          `json:"dot"`           // names the reading
	Path        Pointer         `json:"path,omitzero"` // only if it is below the path of the conflict
	Op          Op              `json:"op"`
	Value       jsontext.Value  `json:"value"`
	User        firemode.UserID `json:"user"`
	SubmittedBy firemode.UserID `json:"submitted_by,omitzero"` // only if it is not User
	Client      string          `json:"client_id"`
	CapturedAt  time.Time       `json:"captured_at,omitzero"` // zero if the client did not state it
	ReceivedAt  time.Time       `json:"received_at"`
	Instrument  *Instrument     `json:"instrument,omitzero"`
	Source      string          `json:"source,omitzero"`
	Reason      string          `json:"reason,omitzero"`
	Flags       []string        `json:"flags"`
}

// Results is the merged document of a session, or what changed in it.
type Results struct {
	Session  firemode.SessionID `json:"session_id"`
	Clock    Clock              `json:"vector_clock"`
	Cursor   string             `json:"cursor"` // the Since of the next query
	Epoch    int64              `json:"epoch"`  // changes when the server is restored from a backup
	Complete bool               `json:"complete"`
	Document jsontext.Value     `json:"document"`
	// Conflicts lists all open conflicts; in a delta, those at the paths that changed.
	Conflicts  []Conflict  `json:"conflicts"`
	Removed    []Pointer   `json:"removed"`    // of a delta: the paths at which nothing is shown any more
	Late       []LateBatch `json:"late"`       // all batches that wait for the session to be reopened
	Checkpoint string      `json:"checkpoint"` // signed note over the session's log
}

// LateBatch is a batch that arrived after the session was completed.
type LateBatch struct {
	Client     string          `json:"client_id"`
	Number     int64           `json:"number"`
	User       firemode.UserID `json:"user"`
	ReceivedAt time.Time       `json:"received_at"`
	Changes    []Change        `json:"changes"`
}

// ResultsQuery selects results.
type ResultsQuery struct {
	Client string // the client id that receives them; "" if nothing is to count as delivered
	Since  string // a cursor: only what changed after it; "" for the whole document
	Limit  int    // changes on a page of a delta, 0 for the server's default
}

// SubmitResults merges changes into a session. The same submission under the same key is merged
// once, however often it is sent. If the client is a copy of another, the error is an *Error with a
// FreshClientID. Device.Sync handles all of this.
func (c *Client) SubmitResults(
	ctx context.Context, id firemode.SessionID, key string, s Submission,
) (r Receipt, err error) {
	q := post(session(id, "results"), s).with(headerKey, key)
	if begun := c.now(); !s.Meta.SentAt.IsZero() {
		q.rebuild = func() any { // the server compares SentAt with its own clock
			later := s
			later.Meta.SentAt = s.Meta.SentAt.Add(c.now().Sub(begun))
			return later
		}
	}
	header, err := c.do(ctx, q, &r)
	r.Replayed = header.Get("Idempotency-Replayed") == "true"
	return r, err
}

// Results returns the merged document, or one page of what changed since a cursor. Device.Sync
// fetches all pages.
func (c *Client) Results(ctx context.Context, id firemode.SessionID, q ResultsQuery) (r Results, err error) {
	query := values("since", q.Since)
	if q.Limit > 0 {
		query.Set("limit", strconv.Itoa(q.Limit))
	}
	_, err = c.do(ctx, get(session(id, "results"), query).with("X-Client-ID", q.Client), &r)
	return r, err
}

// PastChange is one entry of the history of a path.
type PastChange struct {
	Sibling
	Sequence int64    `json:"sequence"` // of the session's log
	Names    []string `json:"dots"`     // of OpResolve and OpCorrect: the readings that it names
	Live     bool     `json:"live"`     // nothing has superseded it
}

// History lists every change that was ever made at a path and below, newest first.
func (c *Client) History(ctx context.Context, id firemode.SessionID, p Pointer) iter.Seq2[PastChange, error] {
	return list[PastChange](ctx, c, session(id, "history"), values("path", string(p)))
}
