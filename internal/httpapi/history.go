package httpapi

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/view"
)

type changeRecord struct {
	Sequence int64        `json:"sequence" doc:"Number of its log entry"`
	Path     crdt.Pointer `json:"path"`
	siblingBody
	Names []string `json:"dots,omitempty" doc:"What a resolve or correct names"`
	Live  bool     `json:"live" doc:"Whether nothing has superseded it"`
}

func changeRecordOf(op ledger.Op) changeRecord {
	c := conflictOf(ledger.Conflict{Values: []ledger.Sibling{ledger.DescribeSibling(&op.Op)}})
	r := changeRecord{Sequence: op.Seq, Path: op.Path, siblingBody: c.Values[0], Live: op.SupersededSeq == 0}
	r.siblingBody.Path = ""
	for _, d := range op.Names {
		r.Names = append(r.Names, d.String())
	}
	return r
}

// readHistory answers a page of the changes ever made to a path, or the document as of a log entry or
// a time.
func (a *API) readHistory(w http.ResponseWriter, r *http.Request) error {
	session, err := pathID[firemode.SessionID](r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	if query.Has("at_seq") || query.Has("at") {
		q := view.Query{Session: session}
		if err := pastQuery(&q, query.Get("at_seq"), query.Get("at")); err != nil {
			return err
		}
		return httpkit.Stream(w, r, func(out io.Writer) error { return a.writeResults(r.Context(), q, out) })
	}
	path, err := crdt.ParsePointer(query.Get("path"))
	if err != nil {
		return httpkit.BadQuery("path", err.Error())
	}
	p := Paging{Limit: defaultPage, Cursor: query.Get("cursor")}
	if limit := query.Get("limit"); limit != "" {
		if p.Limit, err = strconv.Atoi(limit); err != nil || p.Limit < 1 || p.Limit > 100 {
			return httpkit.BadQuery("limit", "must be a number from 1 to 100")
		}
	}
	page, err := a.page(r.Context(), p)
	if err != nil {
		return err
	}
	rows, err := a.Services.Views.History(r.Context(), session, path, page)
	if err != nil {
		return err
	}
	body := listed(r.Context(), a, p, rows, changeRecordOf).Body
	if httpkit.StateOf(r.Context()).Lines {
		return httpkit.Stream(w, r, func(out io.Writer) error { return historyLines(out, body) })
	}
	httpkit.WriteJSON(w, r, http.StatusOK, body)
	return nil
}

func pastQuery(q *view.Query, seq, at string) (err error) {
	if seq != "" {
		if q.AtSeq, err = strconv.ParseInt(seq, 10, 64); err != nil || q.AtSeq < 1 {
			return httpkit.BadQuery("at_seq", "must be a positive number")
		}
		return nil
	}
	if q.At, err = time.Parse(time.RFC3339, at); err != nil {
		return httpkit.BadQuery("at", "must be an RFC 3339 time")
	}
	return nil
}

type endOfList struct {
	Changes    int     `json:"changes"`
	NextCursor *string `json:"next_cursor"`
}

// historyLines writes a page of a history as NDJSON.
func historyLines(out io.Writer, page list[changeRecord]) error {
	l := httpkit.NewLineWriter(out)
	for _, change := range page.Data {
		if err := l.Write("change", "changes", change); err != nil {
			return err
		}
	}
	return l.Write("end", "", endOfList{l.Count("changes"), page.NextCursor})
}

func documentHistory(op *huma.Operation, r huma.Registry) {
	op.Parameters = append(op.Parameters, httpkit.IDParam("id", "session_id"),
		httpkit.QueryParam("path", "JSON Pointer: the changes there and below, newest first"),
		httpkit.QueryParam("at_seq", "In its place: the document as of this number"),
		httpkit.QueryParam("at", "The document as of this time"),
		httpkit.QueryParam("limit", "1 to 100, 20 unless told"),
		httpkit.QueryParam("cursor", "next_cursor of the page before"))
	op.Responses["200"] = httpkit.JSONResponse[list[changeRecord]](r,
		"Changes, newest first; or, as of a past moment, the answer of GET results")
	httpkit.DocumentLines(op.Responses["200"].Content,
		"One object on each line, with one member: change, for each change of the page; and last end, with next_cursor, "+
			"which an answer that was cut off lacks. Or, as of a past moment, the lines of GET results.")
}
