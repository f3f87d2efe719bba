package loadtest

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode/client"
)

// readbackTimeout bounds the reading back of a run.
const readbackTimeout = 10 * time.Minute

// readBack proves that every acknowledged change is as it was promised. after is the number of the session's last log entry before the run.
func (e *engine) readBack(ctx context.Context, after int64) Readback {
	acknowledged := e.acks.all()
	ctx, cancel := context.WithTimeout(ctx, readbackTimeout)
	defer cancel()
	read, err := e.readLog(ctx, after)
	if err != nil {
		return Readback{Acknowledged: len(acknowledged), Error: err.Error()}
	}
	return read.judge(acknowledged,
		func(a ack) string { return value(e.Run, int(a.user), a.number) },
		func(a ack) string { return e.accounts[int(a.user)%len(e.accounts)].Username })
}

// readLog reads the history of the path since the run began, and what is shown there now.
func (e *engine) readLog(ctx context.Context, after int64) (*log, error) {
	read, api := newLog(), e.accounts[0].api
	for change, err := range api.History(ctx, e.Session, resultsPath) {
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", resultsPath, err)
		}
		if change.Sequence <= after {
			break
		}
		if err := read.add(entry{value: textOf(change.Value), dot: change.Dot, live: change.Live}); err != nil {
			return nil, err
		}
	}
	results, err := api.Results(ctx, e.Session, client.ResultsQuery{})
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return read, read.show(results)
}

// show notes what a reader of the document sees at the path: the value, and every side of an open conflict.
func (l *log) show(r client.Results) error {
	var document client.Document
	if err := document.UnmarshalJSON(r.Document); err != nil {
		return err
	}
	if v, ok := document.Get(resultsPath); ok {
		l.shown[textOf(v)] = true
	}
	for _, c := range r.Conflicts {
		if c.Path != resultsPath {
			continue
		}
		for _, s := range c.Values {
			l.shown[textOf(s.Value)] = true
		}
	}
	return nil
}

// textOf is a JSON string as text, and anything else as it is written.
func textOf(v jsontext.Value) string {
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		return string(v)
	}
	return s
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
