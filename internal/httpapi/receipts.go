package httpapi

import (
	"io"
	"time"

	"firemode"
	"firemode/internal/httpkit"
	"firemode/internal/record/crdt"
	"firemode/internal/record/merge"
)

// receiptBody says what became of a submission.
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

// receiptHead is the first line of a receipt in NDJSON: what concerns the whole batch.
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

func receiptOf(r merge.Receipt) receiptBody {
	body := receiptBody{
		Session: r.Session, Status: r.Status, Applied: r.Applied, Duplicates: r.Duplicates, Clock: r.Clock,
		Missing: r.Missing,
		Flags:   r.Flags, Checkpoint: r.Checkpoint, ProcessedAt: r.ProcessedAt,
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

type endOfReceipt struct {
	Results   int `json:"results"`
	Conflicts int `json:"conflicts"`
}

// receiptLines writes a receipt as NDJSON: the head, then each result and each conflict.
func receiptLines(out io.Writer, r receiptBody) error {
	l := httpkit.NewLineWriter(out)
	head := receiptHead{
		r.Session, r.Status, r.Applied, r.Duplicates, r.Clock, r.Missing, r.Flags, r.Checkpoint, r.ProcessedAt,
	}
	if err := l.Write("receipt", "", head); err != nil {
		return err
	}
	for _, change := range r.Results {
		if err := l.Write("result", "results", change); err != nil {
			return err
		}
	}
	for _, conflict := range r.Conflicts {
		if err := l.Write("conflict", "conflicts", conflict); err != nil {
			return err
		}
	}
	return l.Write("end", "", endOfReceipt{l.Count("results"), l.Count("conflicts")})
}
