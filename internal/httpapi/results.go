package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/identity"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
)

type receiptBody struct {
	Session     firemode.SessionID `json:"session_id"`
	Status      string             `json:"status" enum:"merged,late"`
	Applied     int                `json:"applied" doc:"Changes newly kept, superseded ones too"`
	Duplicates  int                `json:"duplicates" doc:"Changes that were known already"`
	Results     []changeBody       `json:"results"`
	Clock       crdt.Clock         `json:"vector_clock" doc:"The own number as received, and the foreign entries of this request as far as they were delivered"`
	Missing     crdt.Ranges        `json:"missing" doc:"Numbers of this client that have not arrived"`
	Flags       []string           `json:"flags"`
	Conflicts   []conflictBody     `json:"conflicts" doc:"Those that are open on the posted paths"`
	Checkpoint  string             `json:"checkpoint" doc:"Signed note over the session's log; keep the last one you were given"`
	ProcessedAt time.Time          `json:"processed_at"`
}

// receiptHead is the first line of a receipt in lines: what it says of the whole batch.
type receiptHead struct {
	Session     firemode.SessionID `json:"session_id"`
	Status      string             `json:"status"`
	Applied     int                `json:"applied"`
	Duplicates  int                `json:"duplicates"`
	Clock       crdt.Clock         `json:"vector_clock"`
	Missing     crdt.Ranges        `json:"missing"`
	Flags       []string           `json:"flags"`
	Checkpoint  string             `json:"checkpoint"`
	ProcessedAt time.Time          `json:"processed_at"`
}

type changeBody struct {
	Index    int           `json:"index"`
	Status   string        `json:"status" enum:"applied,duplicate,superseded,rejected"`
	Reason   string        `json:"reason,omitempty"`
	Conflict *conflictBody `json:"conflict,omitempty" doc:"Beside a rejected resolve: the conflict as it is now"`
}

type conflictBody struct {
	ID     string            `json:"id"`
	Path   crdt.Pointer      `json:"path"`
	Kind   crdt.ConflictKind `json:"kind" enum:"value,removed,shape,type"`
	Count  int               `json:"count"`
	Values []siblingBody     `json:"values" doc:"The shown one first"`
}

type siblingBody struct {
	Dot         string          `json:"dot"`
	Path        crdt.Pointer    `json:"path,omitempty" doc:"Where it stands, if that is below the conflict's path"`
	Op          crdt.Kind       `json:"op"`
	Value       jsontext.Value  `json:"value"`
	User        firemode.UserID `json:"user"`
	SubmittedBy firemode.UserID `json:"submitted_by,omitempty"`
	Client      string          `json:"client_id"`
	CapturedAt  *time.Time      `json:"captured_at"`
	ReceivedAt  time.Time       `json:"received_at"`
	Instrument  jsontext.Value  `json:"instrument,omitzero"`
	Source      string          `json:"source,omitempty"`
	Reason      string          `json:"reason,omitempty"`
	Flags       []string        `json:"flags"`
}

func receiptOf(r merge.Receipt) receiptBody {
	body := receiptBody{
		Session: r.Session, Status: r.Status, Applied: r.Applied, Duplicates: r.Duplicates, Clock: r.Clock, Missing: r.Missing,
		Flags: r.Flags, Checkpoint: r.Checkpoint, ProcessedAt: r.ProcessedAt,
	}
	for _, c := range r.Results {
		change := changeBody{Index: c.Index, Status: c.Status, Reason: c.Reason}
		if c.Conflict != nil {
			conflict := conflictOf(*c.Conflict)
			change.Conflict = &conflict
		}
		body.Results = append(body.Results, change)
	}
	for _, c := range r.Conflicts {
		body.Conflicts = append(body.Conflicts, conflictOf(c))
	}
	return body
}

func conflictOf(c ledger.Conflict) conflictBody {
	body := conflictBody{ID: c.ID, Path: c.Path, Kind: c.Kind, Count: c.Count}
	for _, s := range c.Values {
		sibling := siblingBody{
			Dot: s.Dot, Op: s.Op, Value: jsontext.Value(s.Value), User: s.User, SubmittedBy: s.SubmittedBy, Client: s.Client,
			CapturedAt: moment(s.CapturedAt), ReceivedAt: s.ReceivedAt, Instrument: rawJSON(s.Instrument), Source: s.Source, Reason: s.Reason, Flags: s.Flags,
		}
		if s.Path != c.Path {
			sibling.Path = s.Path
		}
		body.Values = append(body.Values, sibling)
	}
	return body
}

// rawJSON is v as it is, nil for no value.
func rawJSON(v crdt.Value) jsontext.Value {
	if v == "" {
		return nil
	}
	return jsontext.Value(v)
}

// moment is t, nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// submitResults merges changes.
func (a *API) submitResults(w http.ResponseWriter, r *http.Request) error {
	x := httpkit.StateOf(r.Context())
	session, err := sessionID(r)
	if err != nil {
		return err
	}
	in, err := decodeSubmission(x.Body, x.BodyLines)
	x.Watch.Lap(firemode.StageBody)
	if err != nil {
		return err
	}
	if in.Meta.OnBehalfOf != "" && !identity.ResultOnBehalf.Allows(x.Caller.Principal.Role) {
		return firemode.Forbidden("only a manager may submit on behalf of another")
	}
	in.Session, in.Key, in.Scope = session, x.Claim.Key, x.Claim.Scope
	receipt, replayed, err := a.Services.Merge.Submit(r.Context(), in)
	if err != nil {
		return err
	}
	x.Claim.Replayed = replayed
	if x.Lines {
		return httpkit.Stream(w, r, func(out io.Writer) error { return receiptLines(out, receiptOf(receipt)) })
	}
	httpkit.WriteJSON(w, r, http.StatusOK, receiptOf(receipt))
	return nil
}

func sessionID(r *http.Request) (firemode.SessionID, error) {
	id := r.PathValue("id")
	if !firemode.ValidID(id) {
		return "", httpkit.BadPath("id")
	}
	return firemode.SessionID(id), nil
}

// readResults streams the merged document.
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
	if q.Session, err = sessionID(r); err != nil {
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

// writeResults writes the whole answer but for its last byte, then what was given is recorded, then the last byte.
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

// endingSink is a Sink that lacks the end of the answer until end is called.
type endingSink interface {
	view.Sink
	end() error
}

// resultsHead is what an answer says of itself.
type resultsHead struct {
	Session  firemode.SessionID `json:"session_id"`
	Clock    crdt.Clock         `json:"vector_clock"`
	Cursor   string             `json:"cursor"`
	Complete bool               `json:"complete"`
	Epoch    int64              `json:"epoch"`
	Point    string             `json:"checkpoint"`
}

func headOf(cursors httpkit.Cursors, org firemode.OrgID, v view.Header) resultsHead {
	return resultsHead{v.Session, v.Clock, sealSyncCursor(cursors, org, v.Cursor), v.Complete, v.Cursor.Epoch, v.Checkpoint}
}

// resultsSink writes an answer as JSON.
type resultsSink struct {
	cursors  httpkit.Cursors
	org      firemode.OrgID
	out      io.Writer
	view     view.Header
	document *crdt.Composer // nil once it is closed
	list     string         // the member whose list is open
	rest     []string
}

func (s *resultsSink) Begin(v view.Header) error {
	s.view = v
	var text bytes.Buffer
	if err := httpkit.EncodeJSON(&text, headOf(s.cursors, s.org, v)); err != nil {
		return err
	}
	s.document, s.rest = crdt.NewComposer(s.out), []string{"conflicts", "removed", "late"}
	_, err := s.out.Write(append(bytes.TrimSuffix(text.Bytes(), []byte{'}'}), `,"document":`...))
	return err
}

func (s *resultsSink) Leaf(r crdt.Reading) error { return s.document.Leaf(r) }

func (s *resultsSink) Conflict(c ledger.Conflict) error { return s.entry("conflicts", conflictOf(c)) }

func (s *resultsSink) Removed(p crdt.Pointer) error { return s.entry("removed", p) }

func (s *resultsSink) Late(b ledger.Entry) error { return s.entry("late", lateOf(b)) }

func (s *resultsSink) closeDocument() error {
	if s.document == nil {
		return nil
	}
	document := s.document
	s.document = nil
	return document.End()
}

// entry adds v to the list of a member, after opening it and those that come before it.
func (s *resultsSink) entry(list string, v any) error {
	if err := s.closeDocument(); err != nil {
		return err
	}
	var text bytes.Buffer
	if s.list == list {
		text.WriteByte(',')
	}
	for s.list != list {
		s.next(&text)
	}
	if err := httpkit.EncodeJSON(&text, v); err != nil {
		return err
	}
	_, err := s.out.Write(text.Bytes())
	return err
}

// next closes the open list, if there is one, and opens the one after it.
func (s *resultsSink) next(text *bytes.Buffer) {
	if s.list != "" {
		text.WriteByte(']')
	}
	s.list, s.rest = s.rest[0], s.rest[1:]
	text.WriteString(`,"` + s.list + `":[`)
}

func (s *resultsSink) end() error {
	if err := s.closeDocument(); err != nil {
		return err
	}
	var text bytes.Buffer
	for len(s.rest) > 0 {
		s.next(&text)
	}
	text.WriteString("]}")
	_, err := s.out.Write(text.Bytes())
	return err
}

type lateBody struct {
	Actor      crdt.ActorID    `json:"client_id"`
	Number     int64           `json:"number"`
	User       firemode.UserID `json:"user"`
	ReceivedAt time.Time       `json:"received_at"`
	Changes    jsontext.Value  `json:"changes"`
}

func lateOf(b ledger.Entry) lateBody {
	return lateBody{Actor: b.Actor, Number: b.Number, User: b.User, ReceivedAt: b.ReceivedAt, Changes: jsontext.Value(b.Changes)}
}

func documentSubmit(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "session_id"))
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{httpkit.MediaJSON: {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"changes"},
		Description: "changes: a list of operations set, remove, append, increment, resolve, correct; _sync_meta: what the client says about its batch. See docs/sync.md.",
	}}}}
	httpkit.DocumentLines(op.RequestBody.Content, "On the first line, if there is anything to say of the whole batch, an object with _sync_meta and atomic; then a change on each line. One request is one batch, under the limits of a JSON body.")
	op.Responses["200"] = httpkit.JSONResponse[receiptBody](r, "What became of each change")
	httpkit.DocumentLines(op.Responses["200"].Content, "One object on each line, with one member: receipt, with what JSON has beside results and conflicts; result, for each change; conflict; and last end, which an answer that was cut off lacks.")
}

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

func documentResults(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "session_id"),
		httpkit.QueryParam("since", "Cursor of an earlier answer: only what changed after it"),
		httpkit.QueryParam("limit", "Changes on a page of a delta"),
		&huma.Param{Name: "X-Client-ID", In: "header", Description: "The client that receives the answer; without it nothing counts as delivered", Schema: &huma.Schema{Type: huma.TypeString}})
	op.Responses["200"] = httpkit.JSONResponse[resultsBody](r, "The merged document with its conflicts")
	httpkit.DocumentLines(op.Responses["200"].Content, resultsLines)
}

const resultsLines = "One object on each line, with one member: head, with what JSON has beside document and the lists; leaf, with path and value, for each value of the document; conflict; removed; late; and last end, which an answer that was cut off lacks."

// sealSyncCursor signs a place in a session's log.
func sealSyncCursor(cursors httpkit.Cursors, org firemode.OrgID, c view.Cursor) string {
	return cursors.Seal(org, "sync "+string(c.Session), strings.Join([]string{
		strconv.FormatInt(c.Epoch, 10), strconv.FormatInt(c.Seq, 10), strconv.FormatInt(c.From, 10), c.Client, string(c.Hash),
	}, "|"))
}

// openSyncCursor returns the place in a cursor that sealSyncCursor made for the same session.
func (a *API) openSyncCursor(org firemode.OrgID, session firemode.SessionID, cursor string) (c view.Cursor, err error) {
	after, err := a.cursors.Open(org, "sync "+string(session), cursor)
	if err != nil {
		return c, err
	}
	parts := strings.SplitN(after, "|", 5)
	if len(parts) != 5 {
		return c, httpkit.BadCursor()
	}
	c = view.Cursor{Session: session, Client: parts[3], Hash: []byte(parts[4])}
	for i, n := range []*int64{&c.Epoch, &c.Seq, &c.From} {
		if *n, err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return c, httpkit.BadCursor()
		}
	}
	return c, nil
}
