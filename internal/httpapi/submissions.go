package httpapi

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/identity"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
)

// submissionBody is a POST of results on the wire. Each change is parsed separately, see
// crdt.ParseChanges, so that an invalid change does not block the others.
type submissionBody struct {
	Changes []jsontext.Value `json:"changes"`
	Meta    jsontext.Value   `json:"_sync_meta"`
	Atomic  bool             `json:"atomic"`

	Others map[string]jsontext.Value `json:",embed"`
}

// metaBody is _sync_meta. Every member may be missing, empty or null.
type metaBody struct {
	Client     *string        `json:"client_id"`
	ClientType *string        `json:"client_type"`
	BatchID    *string        `json:"batch_id"`
	PrevBatch  *string        `json:"prev_batch_id"`
	Clock      jsontext.Value `json:"vector_clock"`
	CapturedAt *string        `json:"captured_at"`
	SentAt     *string        `json:"sent_at"`
	OnBehalfOf *string        `json:"on_behalf_of"`

	Others map[string]jsontext.Value `json:",embed"`
}

// submitResults merges changes into a session.
func (a *API) submitResults(w http.ResponseWriter, r *http.Request) error {
	x := httpkit.StateOf(r.Context())
	session, err := pathID[firemode.SessionID](r)
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

func documentSubmit(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "session_id"))
	schema := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"changes"},
		Description: "changes: a list of operations set, remove, append, increment, resolve, correct; " +
			"_sync_meta: what the client says about its batch. See docs/sync.md.",
	}
	op.RequestBody = &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{httpkit.MediaJSON: {Schema: schema}},
	}
	httpkit.DocumentLines(op.RequestBody.Content,
		"On the first line, if there is anything to say of the whole batch, an object with _sync_meta and atomic; "+
			"then a change on each line. One request is one batch, under the limits of a JSON body.")
	op.Responses["200"] = httpkit.JSONResponse[receiptBody](r, "What became of each change")
	httpkit.DocumentLines(op.Responses["200"].Content,
		"One object on each line, with one member: receipt, with what JSON has beside results and conflicts; "+
			"result, for each change; conflict; and last end, which an answer that was cut off lacks.")
}

// decodeSubmission decodes the body of a POST of results, which is JSON or NDJSON.
func decodeSubmission(body []byte, lines bool) (merge.Submission, error) {
	read := decodeWhole
	if lines {
		read = decodeLines
	}
	var s merge.Submission
	wire, err := read(body)
	if err != nil {
		return s, err
	}
	if wire.Changes == nil {
		return s, firemode.InvalidField("changes", "a list is needed; it may be empty")
	}
	if len(wire.Changes) > crdt.MaxChanges {
		return s, firemode.InvalidField("changes", "more than %d in one request", crdt.MaxChanges)
	}
	changes, err := crdt.ParseChanges(wire.Changes)
	if err != nil {
		return s, firemode.Malformed("%s", err)
	}
	s.Changes, s.Atomic = changes, wire.Atomic
	s.Meta, err = decodeMeta(wire.Meta)
	return s, err
}

func decodeWhole(body []byte) (wire submissionBody, err error) {
	if err := httpkit.DecodeJSON(body, &wire); err != nil {
		return wire, err
	}
	return wire, exactNames(wire.Others, "", "changes", "_sync_meta", "atomic")
}

func decodeMeta(raw jsontext.Value) (m merge.Meta, err error) {
	if len(raw) == 0 || raw.Kind() == 'n' {
		return m, nil
	}
	if raw.Kind() != '{' {
		return m, firemode.InvalidField("_sync_meta", "not an object")
	}
	var wire metaBody
	if err := json.Unmarshal(raw, &wire); err != nil {
		return m, firemode.InvalidField("_sync_meta",
			"a member has the wrong type: vector_clock is an object, all others are strings")
	}
	names := []string{
		"client_id", "client_type", "batch_id", "prev_batch_id", "vector_clock", "captured_at", "sent_at", "on_behalf_of",
	}
	if err := exactNames(wire.Others, "_sync_meta.", names...); err != nil {
		return m, err
	}
	m = merge.Meta{
		Client: text(wire.Client), ClientType: text(wire.ClientType), BatchID: text(wire.BatchID),
		PrevBatch:  text(wire.PrevBatch),
		OnBehalfOf: firemode.UserID(text(wire.OnBehalfOf)),
	}
	if m.CapturedAt, err = instant("_sync_meta.captured_at", wire.CapturedAt); err != nil {
		return m, err
	}
	if m.SentAt, err = instant("_sync_meta.sent_at", wire.SentAt); err != nil {
		return m, err
	}
	m.Clock, m.Trimmed, err = decodeClock(wire.Clock, crdt.ActorID(m.Client))
	return m, err
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func instant(field string, s *string) (time.Time, error) {
	if text(s) == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, *s)
	if err != nil || t.Year() < 1900 || t.Year() > 9999 {
		return t, firemode.InvalidField(field, "not an RFC 3339 time")
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// decodeClock decodes a vector clock; an entry of 0 counts as absent. trimmed says that the clock has
// too many entries: then the own one and the first ones by name are kept.
func decodeClock(raw jsontext.Value, own crdt.ActorID) (clock crdt.Clock, trimmed bool, err error) {
	if len(raw) == 0 || raw.Kind() == 'n' {
		return nil, false, nil
	}
	var entries map[crdt.ActorID]jsontext.Value
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, false, firemode.InvalidField("_sync_meta.vector_clock", "not an object of client ids and numbers")
	}
	clock = make(crdt.Clock, len(entries))
	for actor, entry := range entries {
		n, err := strconv.ParseInt(string(entry), 10, 64)
		if err != nil || n < 0 {
			field := fmt.Sprintf("_sync_meta.vector_clock.%.80s", actor)
			return nil, false, firemode.InvalidField(field, "not a non-negative integer")
		}
		if n > 0 {
			clock[actor] = n
		}
	}
	if len(clock) <= ledger.MaxClock {
		return clock, false, nil
	}
	for _, actor := range slices.Sorted(maps.Keys(clock))[ledger.MaxClock:] {
		if actor != own {
			delete(clock, actor)
		}
	}
	return clock, true, nil
}

// exactNames refuses a name among others that differs from one of names in case alone: one reader
// would take it for that name and another would not.
func exactNames(others map[string]jsontext.Value, prefix string, names ...string) error {
	for name := range others {
		lower := strings.ToLower(name)
		if name != lower && slices.Contains(names, lower) {
			e := firemode.Malformed("%s%s: must be written %s", prefix, name, lower)
			e.Details = []firemode.Detail{{Field: prefix + name, Reason: "must be written " + lower}}
			return e
		}
	}
	return nil
}
