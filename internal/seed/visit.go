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

// visit is a session to be made, with the results that were taken in it.
type visit struct {
	draft    visits.Draft
	by       firemode.UserID // who makes it, and completes it
	ago      time.Duration   // how long before the session was entered the rounds began
	rounds   []round
	complete bool
}

// round is what one technician with one tablet records, without having seen what others did.
type round struct {
	user     firemode.UserID
	client   string
	from, to int         // percent of the items in walking order; each of them is recorded
	remarks  []remark    // on items that did not simply pass
	also     []statement // recorded at the end, with paths below /items/
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
	f.sayf("session %s, %s of %s: %d items, %d results entered, %d items done, %d in dispute, %s",
		now.ID, now.Name, now.Building, now.ItemCount, changes, now.Head.Done, now.Head.Conflicts, now.Status)
	return nil
}

// record enters the rounds of a visit and returns the number of changes.
func (f *filler) record(ctx context.Context, session firemode.Session, v visit) (changes int, err error) {
	items, err := f.items(f.as(ctx, v.by), session.ID)
	if err != nil {
		return 0, err
	}
	for _, r := range v.rounds {
		share := items[len(items)*r.from/100 : len(items)*r.to/100]
		// Times follow what is stored, not this run: the next one after a crash must say the same.
		notes := notebook{book: f.book, at: session.CreatedAt.Add(-v.ago).Truncate(time.Second)}
		if err := notes.round(r, share); err != nil {
			return 0, err
		}
		if err := f.submit(f.as(ctx, r.user), session.ID, r.client, notes.changes); err != nil {
			return 0, fmt.Errorf("results of %s: %w", r.client, err)
		}
		changes += len(notes.changes)
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

// submit sends changes in batches that a client numbers from 1. Each batch has the same number, id and content in every run, so
// that one that is there already is a duplicate.
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
			return fmt.Errorf("batch %s: %s, %d of %d changes taken", id, receipt.Status, receipt.Applied+receipt.Duplicates, len(changes))
		}
		previous = id
	}
	return nil
}
