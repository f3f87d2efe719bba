package seed

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/merge"
	"firemode/internal/store"
	"firemode/internal/visits"
)

// visit is a session of the demo with the results recorded in it.
type visit struct {
	draft    visits.Draft
	by       firemode.UserID // user that creates and completes it
	ago      time.Duration   // time between the begin of the rounds and the creation of the session
	rounds   []round
	complete bool
}

// round is what one technician records with one tablet, without having synced with others.
type round struct {
	user     firemode.UserID
	client   string
	from, to int       // range of items to record, in percent of the walking order
	findings []finding // of items that did not simply pass
	extra    []value   // recorded at the end; paths are relative to /items/
}

const (
	batchSize = 300 // changes
	pageSize  = 500 // items
)

func (f *filler) visit(ctx context.Context, v visit) error {
	lead := f.as(ctx, v.by)
	session, err := f.Visits.Create(lead, v.draft)
	if err != nil {
		return err
	}
	done := session.Status == firemode.SessionCompleted
	changes := 0
	if !done && len(v.rounds) > 0 {
		if changes, err = f.record(ctx, session.Session, v); err != nil {
			return err
		}
	}
	if v.complete && !done {
		to := firemode.SessionCompleted
		if _, err := f.Visits.Patch(lead, session.ID, "*", visits.Patch{Status: &to}); err != nil {
			return err
		}
	}
	now, err := f.Visits.Get(lead, session.ID)
	if err != nil {
		return err
	}
	f.progressf("session %s, %s of %s: %d items, %d results submitted, %d items done, %d conflicts, %s",
		now.ID, now.Name, now.Building, now.ItemCount, changes, now.Head.Done, now.Head.Conflicts, now.Status)
	return nil
}

// record submits the rounds of a visit and returns the number of changes.
func (f *filler) record(ctx context.Context, session firemode.Session, v visit) (changes int, err error) {
	items, err := f.items(f.as(ctx, v.by), session.ID)
	if err != nil {
		return 0, err
	}
	for _, r := range v.rounds {
		share := items[len(items)*r.from/100 : len(items)*r.to/100]
		// Times derive from the stored session, not from this run: a retry after a crash must
		// submit the same.
		rec := recorder{rules: f.rules, at: session.CreatedAt.Add(-v.ago).Truncate(time.Second)}
		if err := rec.round(r, share); err != nil {
			return 0, err
		}
		if err := f.submit(f.as(ctx, r.user), session.ID, r.client, rec.changes); err != nil {
			return 0, fmt.Errorf("results of %s: %w", r.client, err)
		}
		changes += len(rec.changes)
	}
	return changes, nil
}

// items returns all items of a session in walking order.
func (f *filler) items(ctx context.Context, id firemode.SessionID) ([]firemode.Item, error) {
	var all []firemode.Item
	for page := (store.Page{Limit: pageSize}); ; {
		list, err := f.Visits.Items(ctx, id, store.ItemFilter{}, page)
		if err != nil {
			return nil, err
		}
		for _, item := range list {
			all = append(all, item.Row)
		}
		if len(list) < pageSize {
			return all, nil
		}
		page.After = list[len(list)-1].Key
	}
}

// submit submits changes in batches that the client numbers from 1. Every run uses the same
// numbers, ids and contents, so that a retry is recognised as a duplicate.
func (f *filler) submit(ctx context.Context, session firemode.SessionID, client string, raw []jsontext.Value) error {
	previous := ""
	number := int64(0)
	for part := range slices.Chunk(raw, batchSize) {
		changes, err := crdt.ParseChanges(part)
		if err != nil {
			return err
		}
		number++
		id := client + "-" + strconv.FormatInt(number, 10)
		receipt, _, err := f.Merge.Submit(ctx, merge.Submission{
			Session: session, Key: id, Changes: changes, Atomic: true,
			Meta: merge.Meta{
				Client: client, ClientType: "web", BatchID: id, PrevBatch: previous,
				Clock: crdt.Clock{crdt.ActorID(client): number},
			},
		})
		if err != nil {
			return err
		}
		if receipt.Status != merge.StatusMerged || receipt.Applied+receipt.Duplicates != len(changes) {
			return fmt.Errorf(
				"batch %s: %s, %d of %d changes accepted", id, receipt.Status,
				receipt.Applied+receipt.Duplicates, len(changes),
			)
		}
		previous = id
	}
	return nil
}
