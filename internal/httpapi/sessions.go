package httpapi

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/store"
	"firemode/internal/visits"
)

type sessionBody struct {
	ID          firemode.SessionID     `json:"session_id"`
	Building    firemode.BuildingID    `json:"building_id"`
	Name        string                 `json:"session_name"`
	Frequency   firemode.Frequency     `json:"frequency"`
	Technicians []firemode.UserID      `json:"technician_ids"`
	Status      firemode.SessionStatus `json:"status" enum:"pending,active,completed,reopened"`
	Reason      string                 `json:"reason,omitempty" doc:"Why it was last reopened, or why gaps were accepted"`
	Items       int                    `json:"item_count"`
	Checks      int                    `json:"check_count"`
	Done        int                    `json:"done_count" doc:"Items whose record is complete"`
	Conflicts   int                    `json:"conflict_count"`
	Gaps        int                    `json:"gap_count" doc:"Clients of which a batch is missing"`
	Clock       crdt.Clock             `json:"vector_clock"`
	CreatedAt   time.Time              `json:"created_at"`
	CreatedBy   firemode.UserID        `json:"created_by"`
	CompletedAt *time.Time             `json:"completed_at"`
}

func sessionOf(d visits.Detail) sessionBody {
	return sessionBody{
		ID: d.ID, Building: d.Building, Name: d.Name, Frequency: d.Frequency, Technicians: d.Technicians,
		Status: d.Status, Reason: d.Reason,
		Items: d.ItemCount, Checks: d.CheckCount, Done: d.Head.Done, Conflicts: d.Head.Conflicts, Gaps: d.Head.Gaps,
		Clock:     d.Clock,
		CreatedAt: d.CreatedAt.UTC(), CreatedBy: d.CreatedBy, CompletedAt: moment(d.CompletedAt),
	}
}

// SessionPath is the path of a session and of everything below it.
type SessionPath struct {
	ID firemode.SessionID `path:"id" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"session_id"`
}

type createSessionInput struct {
	Body struct {
		ID          firemode.SessionID  `json:"session_id,omitempty" doc:"Minted when absent"`
		Building    firemode.BuildingID `json:"building_id"`
		Name        string              `json:"session_name"`
		Frequency   firemode.Frequency  `json:"frequency" doc:"A higher frequency includes the lower ones" example:"six_monthly"`
		Technicians []firemode.UserID   `json:"technician_ids,omitempty" doc:"Who may work on it; nobody means every technician"`
	}
}

type listSessionsInput struct {
	Paging
	Statuses   []firemode.SessionStatus `query:"status,explode" enum:"pending,active,completed,reopened" doc:"Any of them; repeat for several"`
	Building   firemode.BuildingID      `query:"building_id"`
	Technician firemode.UserID          `query:"technician_id"`
	From       string                   `query:"date_from" doc:"Created on or after this date or time" example:"2026-11-01"`
	To         string                   `query:"date_to" doc:"Created on or before this date or time"`
}

type patchSessionInput struct {
	SessionPath
	IfMatch string `header:"If-Match" doc:"ETag of the session that is to be changed"`
	Body    struct {
		Name        *string                 `json:"session_name,omitempty"`
		Technicians *[]firemode.UserID      `json:"technician_ids,omitempty" doc:"Replaces all of them"`
		Status      *firemode.SessionStatus `json:"status,omitempty" enum:"completed,reopened" doc:"completed is refused, with a list, while something is missing"`
		Reason      string                  `json:"reason,omitempty" maxLength:"2000" doc:"Needed to reopen, and to accept gaps"`
		AcceptGaps  bool                    `json:"accept_gaps,omitempty" doc:"Complete although batches of a client are missing"`
	}
}

func sessionReply(d visits.Detail, err error) (*httpkit.Reply[sessionBody], error) {
	if err != nil {
		return nil, err
	}
	return &httpkit.Reply[sessionBody]{ETag: d.Tag(), Body: sessionOf(d)}, nil
}

func (a *API) createSession(ctx context.Context, in *createSessionInput) (*httpkit.Reply[sessionBody], error) {
	return sessionReply(a.Services.Visits.Create(ctx, visits.Draft(in.Body)))
}

func (a *API) listSessions(ctx context.Context, in *listSessionsInput) (*httpkit.Reply[list[sessionBody]], error) {
	page, err := a.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	f := store.SessionFilter{Statuses: in.Statuses, Building: in.Building, Technician: in.Technician}
	if f.From, err = day("date_from", in.From, 0); err != nil {
		return nil, err
	}
	if f.To, err = day("date_to", in.To, 1); err != nil {
		return nil, err
	}
	rows, err := a.Services.Visits.List(ctx, f, page)
	return listed(ctx, a, in.Paging, rows, sessionOf), err
}

// day parses a date or a time. For an upper bound, which is inclusive, days is 1: the result is then
// one day later, or one microsecond, the smallest step of the store.
func day(name, text string, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, days), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, httpkit.BadQuery(name, "must be a date such as 2026-11-23, or an RFC 3339 time")
	}
	return t.UTC().Add(time.Duration(days) * time.Microsecond), nil
}

func (a *API) getSession(ctx context.Context, in *SessionPath) (*httpkit.Reply[sessionBody], error) {
	return sessionReply(a.Services.Visits.Get(ctx, in.ID))
}

func (a *API) patchSession(ctx context.Context, in *patchSessionInput) (*httpkit.Reply[sessionBody], error) {
	return sessionReply(a.Services.Visits.Patch(ctx, in.ID, in.IfMatch, visits.Patch(in.Body)))
}

type syncBody struct {
	ID        firemode.SessionID     `json:"session_id"`
	Status    firemode.SessionStatus `json:"status"`
	Clock     crdt.Clock             `json:"vector_clock"`
	Sequence  int64                  `json:"sequence" doc:"Number of the last log entry"`
	Epoch     int64                  `json:"epoch"`
	Items     int                    `json:"item_count"`
	Done      int                    `json:"done_count"`
	Conflicts int                    `json:"conflict_count"`
	Gaps      int                    `json:"gap_count"`
	Late      int                    `json:"late_count" doc:"Batches that wait for the session to be reopened"`
	Point     string                 `json:"checkpoint" doc:"Signed note over the session's log"`
	Clients   []syncClientBody       `json:"clients"`
}

type syncClientBody struct {
	Client     crdt.ActorID    `json:"client_id" doc:"With ~ for one for whom the server counts"`
	User       firemode.UserID `json:"user"`
	ClientType string          `json:"client_type"`
	Run        int64           `json:"run" doc:"Batches 1 to this number are part of the document"`
	Missing    crdt.Ranges     `json:"missing"`
	LastSync   *time.Time      `json:"last_sync" doc:"Receipt of its last batch"`
}

func (a *API) syncStatus(ctx context.Context, in *SessionPath) (*httpkit.Reply[syncBody], error) {
	s, err := a.Services.Visits.SyncStatus(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	body := syncBody{
		ID: s.ID, Status: s.Status, Clock: s.Clock, Sequence: s.Head.Seq, Epoch: s.Head.Epoch, Items: s.ItemCount,
		Done:      s.Head.Done,
		Conflicts: s.Head.Conflicts, Gaps: s.Head.Gaps, Late: s.Head.Late, Point: s.Head.Checkpoint,
	}
	for _, actor := range s.Actors {
		body.Clients = append(body.Clients, syncClientBody{
			Client: actor.ID, User: actor.User, ClientType: actor.ClientType, Run: actor.Merged.Prefix(),
			Missing: actor.Held.Missing(), LastSync: moment(actor.LastSync),
		})
	}
	return &httpkit.Reply[syncBody]{Body: body}, nil
}
