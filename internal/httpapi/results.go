package httpapi

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/view"
)

type resultsBody struct {
	Session   firemode.SessionID `json:"session_id"`
	Clock     crdt.Clock         `json:"vector_clock"`
	Cursor    string             `json:"cursor" doc:"For since of the next request"`
	Complete  bool               `json:"complete" doc:"Whether this answer is up to date; else ask again with its cursor"`
	Epoch     int64              `json:"epoch" doc:"Another one than before: the server was restored from a backup; send again what its clock lacks"`
	Point     string             `json:"checkpoint" doc:"Signed note over the session's log"`
	Document  map[string]any     `json:"document"`
	Conflicts []conflictBody     `json:"conflicts"`
	Removed   []crdt.Pointer     `json:"removed" doc:"Of a delta: paths at which nothing is shown any more"`
	Late      []lateBody         `json:"late" doc:"Batches that wait for the session to be reopened"`
}

// resultsHead is the part of the results beside the document and the lists.
type resultsHead struct {
	Session  firemode.SessionID `json:"session_id"`
	Clock    crdt.Clock         `json:"vector_clock"`
	Cursor   string             `json:"cursor"`
	Complete bool               `json:"complete"`
	Epoch    int64              `json:"epoch"`
	Point    string             `json:"checkpoint"`
}

type lateBody struct {
	Actor      crdt.ActorID    `json:"client_id"`
	Number     int64           `json:"number"`
	User       firemode.UserID `json:"user"`
	ReceivedAt time.Time       `json:"received_at"`
	Changes    jsontext.Value  `json:"changes"`
}

func lateOf(b ledger.Entry) lateBody {
	return lateBody{
		Actor: b.Actor, Number: b.Number, User: b.User, ReceivedAt: b.ReceivedAt, Changes: jsontext.Value(b.Changes),
	}
}

// readResults streams the merged document, or what changed since a cursor.
func (a *API) readResults(w http.ResponseWriter, r *http.Request) error {
	q, err := a.resultsQuery(r)
	if err != nil {
		return err
	}
	return httpkit.Stream(w, r, func(out io.Writer) error {
		return a.writeResults(r.Context(), q, out)
	})
}

func (a *API) resultsQuery(r *http.Request) (q view.Query, err error) {
	if q.Session, err = pathID[firemode.SessionID](r); err != nil {
		return q, err
	}
	query := r.URL.Query()
	q.Client = r.Header.Get("X-Client-ID")
	if cursor := query.Get("since"); cursor != "" {
		since, err := a.openSyncCursor(orgOf(r.Context()), q.Session, cursor)
		if err != nil {
			return q, err
		}
		q.Since = &since
	}
	if limit := query.Get("limit"); limit != "" {
		if q.Limit, err = strconv.Atoi(limit); err != nil || q.Limit < 1 {
			return q, httpkit.BadQuery("limit", "must be a positive number")
		}
	}
	return q, nil
}

// writeResults writes the response to a query. The service records the delivery before the end is
// written, so a client that has the end knows that the delivery counts.
func (a *API) writeResults(ctx context.Context, q view.Query, out io.Writer) error {
	x := httpkit.StateOf(ctx)
	var sink endingSink = &resultsSink{cursors: a.cursors, org: x.Caller.Principal.Org, out: out}
	if x.Lines {
		sink = &linesSink{lines: httpkit.NewLineWriter(out), cursors: a.cursors, org: x.Caller.Principal.Org}
	}
	if err := a.Services.Views.Results(ctx, q, sink); err != nil {
		return err
	}
	return sink.end()
}

func headOf(cursors httpkit.Cursors, org firemode.OrgID, v view.Header) resultsHead {
	return resultsHead{v.Session, v.Clock, sealSyncCursor(cursors, org, v.Cursor), v.Complete, v.Cursor.Epoch, v.Checkpoint}
}

func documentResults(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "session_id"),
		httpkit.QueryParam("since", "Cursor of an earlier answer: only what changed after it"),
		httpkit.QueryParam("limit", "Changes on a page of a delta"),
		clientParam("The client that receives the answer; without it nothing counts as delivered"))
	op.Responses["200"] = httpkit.JSONResponse[resultsBody](r, "The merged document with its conflicts")
	httpkit.DocumentLines(op.Responses["200"].Content, resultsLines)
}

const resultsLines = "One object on each line, with one member: " +
	"head, with what JSON has beside document and the lists; " +
	"leaf, with path and value, for each value of the document; conflict; removed; late; and last end, which an answer that was cut off lacks."

// clientParam describes the header that names the receiving client.
func clientParam(description string) *huma.Param {
	return &huma.Param{
		Name: "X-Client-ID", In: "header", Description: description, Schema: &huma.Schema{Type: huma.TypeString},
	}
}
