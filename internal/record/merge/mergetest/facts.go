package mergetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/crdt/oracle"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Facts is everything that is stored of a session.
type Facts struct {
	Session firemode.Session
	Head    ledger.Head
	Clock   crdt.Clock // as of the head
	Log     []ledger.Entry
	Changes [][]crdt.Change // of each log entry
	Rows    []ledger.Op
	Actors  map[crdt.ActorID]ledger.Actor
	Items   []firemode.Item
}

// Read reads them, all as of one moment.
func Read(ctx context.Context, s store.Database, ref ledger.SessionRef) (f *Facts, err error) {
	f = &Facts{Actors: map[crdt.ActorID]ledger.Actor{}}
	return f, s.View(ctx, func(tx store.ReadTx) error {
		if f.Session, err = store.As[store.SessionReader](tx).Session(ctx, ref.Org, ref.Session); err != nil {
			return err
		}
		if f.Head, err = store.As[store.HeadReader](tx).Head(ctx, ref); err != nil {
			return err
		}
		if f.Clock, err = store.As[store.HeadReader](tx).ClockAt(ctx, ref, f.Head.Seq); err != nil {
			return err
		}
		if err := store.As[store.EntryReader](tx).EachEntry(ctx, ref, 1, f.addEntry); err != nil {
			return err
		}
		if err := store.As[store.OpReader](tx).EachOp(ctx, ref, func(op ledger.Op) error {
			f.Rows = append(f.Rows,
				op)
			return nil
		}); err != nil {
			return err
		}
		actors, err := store.As[store.ActorReader](tx).Actors(ctx, ref, nil)
		for _, a := range actors {
			f.Actors[a.ID] = a
		}
		if err != nil {
			return err
		}
		items, err := store.As[store.ItemReader](
			tx,
		).Items(ctx, ref.Org, ref.Session, store.ItemFilter{}, store.Page{Limit: 100})
		for _, item := range items {
			f.Items = append(f.Items, item.Row)
		}
		return err
	})
}

func (f *Facts) addEntry(b ledger.Entry) error {
	var changes []crdt.Change
	if b.Kind == ledger.EntryChanges {
		var raw []jsontext.Value
		err := json.Unmarshal(b.Changes, &raw)
		if err == nil {
			changes, err = crdt.ParseChanges(raw)
		}
		if err != nil {
			return err
		}
	}
	f.Log, f.Changes = append(f.Log, b), append(f.Changes, changes)
	return nil
}

// Merged reports whether entry b was part of the document as of number seq.
func Merged(b ledger.Entry, seq int64) bool {
	return b.Kind == ledger.EntryChanges && b.MergedSeq > 0 && b.MergedSeq <= seq
}

// Ops returns the operations that entry i of the log stands for.
func (f *Facts) Ops(i int) []crdt.Op {
	b := f.Log[i]
	batch := crdt.Batch{Actor: b.Actor, Number: b.Number, Foreign: b.Context, Changes: f.Changes[i]}
	var ops []crdt.Op
	for c, outcome := range b.Outcomes {
		if outcome.Status == "rejected" {
			continue
		}
		for _, op := range batch.Ops(c, crdt.Stamp{Time: outcome.Time}) {
			op.Seq = b.Seq
			ops = append(ops, op)
		}
	}
	return ops
}

// History is what was merged as of number seq.
func (f *Facts) History(seq int64) oracle.History {
	h := oracle.History{Merged: map[crdt.ActorID]map[int64]bool{}}
	for i, b := range f.Log {
		if !Merged(b, seq) {
			continue
		}
		if h.Merged[b.Actor] == nil {
			h.Merged[b.Actor] = map[int64]bool{}
		}
		h.Merged[b.Actor][b.Number] = true
		h.Ops = append(h.Ops, f.Ops(i)...)
	}
	return h
}

// Numbers returns the batches of an actor that were held, or merged as of number seq if that is not
// 0.
func (f *Facts) Numbers(actor crdt.ActorID, seq int64) crdt.Ranges {
	var held crdt.Ranges
	for _, b := range f.Log {
		if b.Kind == ledger.EntryChanges && b.Actor == actor && (seq == 0 || Merged(b, seq)) {
			held = held.Add(b.Number)
		}
	}
	return held
}

// Runs returns the clock of the document as of number seq.
func (f *Facts) Runs(seq int64) crdt.Clock {
	clock := crdt.Clock{}
	if seq == 0 {
		return clock
	}
	for _, b := range f.Log {
		if run := f.Numbers(b.Actor, seq).Prefix(); b.Kind == ledger.EntryChanges && run > 0 {
			clock[b.Actor] = run
		}
	}
	return clock
}

// String writes the log in a form to think about.
func (f *Facts) String() string {
	var out strings.Builder
	for i, b := range f.Log {
		if b.Kind == ledger.EntryStatus {
			fmt.Fprintf(&out, "%d: %s\n", b.Seq, b.Changes)
			continue
		}
		fmt.Fprintf(&out, "%d: %s:%d has seen %v, merged at %d\n", b.Seq, b.Actor, b.Number, b.Context, b.MergedSeq)
		for c, outcome := range b.Outcomes {
			fmt.Fprintf(&out, "\t%d %s %s %s\n", outcome.Time, outcome.Status, f.Changes[i][c].Text, outcome.Reason)
		}
	}
	return out.String()
}
