package httpapi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
)

// conflictBody is a conflict, open or as it was.
type conflictBody struct {
	ID     string            `json:"id"`
	Path   crdt.Pointer      `json:"path"`
	Kind   crdt.ConflictKind `json:"kind" enum:"value,removed,shape,type"`
	Count  int               `json:"count"`
	Values []siblingBody     `json:"values" doc:"The shown one first"`
}

// siblingBody is one value of a conflict, or one change of a history.
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

func conflictOf(c ledger.Conflict) conflictBody {
	body := conflictBody{ID: c.ID, Path: c.Path, Kind: c.Kind, Count: c.Count}
	for _, s := range c.Values {
		sibling := siblingBody{
			Dot: s.Dot, Op: s.Op, Value: jsontext.Value(s.Value), User: s.User, SubmittedBy: s.SubmittedBy, Client: s.Client,
			CapturedAt: moment(s.CapturedAt), ReceivedAt: s.ReceivedAt, Instrument: rawJSON(s.Instrument),
			Source: s.Source, Reason: s.Reason, Flags: s.Flags,
		}
		if s.Path != c.Path {
			sibling.Path = s.Path
		}
		body.Values = append(body.Values, sibling)
	}
	return body
}

// rawJSON returns v unchanged, nil for no value.
func rawJSON(v crdt.Value) jsontext.Value {
	if v == "" {
		return nil
	}
	return jsontext.Value(v)
}
