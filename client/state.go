package client

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"firemode"
	"firemode/internal/record/crdt"
)

// State is what a device remembers of one session: what was recorded on it and what it has been
// shown. As JSON it can be stored, restored and copied to another device; the server detects the
// copy when both sync. Its methods do no I/O.
//
// The invariant: Seen, Document and Conflicts are one complete response of the server, and every
// batch states the Seen of the moment when it was recorded. A change therefore supersedes only what
// its writer could see.
type State struct {
	Session firemode.SessionID `json:"session_id"`
	Client  string             `json:"client_id"` // the client id of the device in this session
	// Number and LastID are those of the last batch that was queued under Client, 0 and "" before
	// the first. A fork keeps LastID, so that the chain of batches continues under the fresh id.
	Number int64  `json:"number"`
	LastID string `json:"last_batch_id"`
	// Batches are all batches that were recorded here, oldest first, the acknowledged ones
	// included: a server that was restored from a backup needs them again. Forget drops old ones.
	Batches  []Batch   `json:"batches"`
	Rejected []Refusal `json:"rejected"` // oldest first
	// Checkpoint is the last one that the server issued. With it this device can prove what the log
	// of the session held.
	Checkpoint string `json:"checkpoint"`
	// Epoch is the epoch of the server's log in the last response, 0 before the first.
	Epoch int64 `json:"epoch,omitzero"`

	// What the device has been shown; Show maintains it.
	Seen      Clock                `json:"seen"`
	Cursor    string               `json:"cursor"` // "" before the first response
	Document  Document             `json:"document"`
	Conflicts map[Pointer]Conflict `json:"conflicts"`
	Late      []LateBatch          `json:"late"`
}

// Refusal is a change that the server rejected. A person corrects it; it is then recorded in a new
// batch.
type Refusal struct {
	Client string `json:"client_id"`
	Number int64  `json:"number"` // of the batch
	Change Change `json:"change"`
	Reason string `json:"reason"`
}

// Queue adds changes to the pending batches. at is the time by the clock of the device; newID must
// return a new batch id at each call. The batches state what was seen now, not what will have been
// seen when they are sent.
func (s *State) Queue(changes []Change, at time.Time, newID func() string) {
	for part := range slices.Chunk(changes, crdt.MaxChanges) {
		s.Number++
		b := Batch{
			Client: s.Client, Number: s.Number, ID: newID(), PrevID: s.LastID,
			Seen: s.Seen, CapturedAt: at.UTC(), Changes: slices.Clone(part),
		}
		s.LastID = b.ID
		s.Batches = append(s.Batches, b)
	}
}

// Pending returns the batches that have not been acknowledged, oldest first.
func (s *State) Pending() []Batch {
	var pending []Batch
	for _, b := range s.Batches {
		if !b.Acknowledged {
			pending = append(pending, b)
		}
	}
	return pending
}

// Acknowledge stores the receipt of a batch: the batch is durable on the server, the rejected
// changes move to Rejected, and the batches that the server lacks are pending again.
func (s *State) Acknowledge(b Batch, r Receipt) {
	s.Checkpoint = cmp.Or(r.Checkpoint, s.Checkpoint)
	for i := range s.Batches {
		own := &s.Batches[i]
		if own.Client != b.Client {
			continue
		}
		if own.Number == b.Number {
			own.Acknowledged, own.Doubted, own.ReceivedAt = true, false, r.ProcessedAt
		}
		if r.Missing.Contains(own.Number) {
			own.Acknowledged = false
		}
	}
	for _, result := range r.Results {
		if result.Status == "rejected" {
			change := b.Changes[result.Index]
			s.refuse(Refusal{Client: b.Client, Number: b.Number, Change: change, Reason: result.Reason})
		}
	}
}

// refuse adds a refusal unless an earlier receipt of the same batch reported it.
func (s *State) refuse(r Refusal) {
	known := func(q Refusal) bool {
		return q.Client == r.Client && q.Number == r.Number && q.Change.Path == r.Change.Path && q.Reason == r.Reason
	}
	if !slices.ContainsFunc(s.Rejected, known) {
		s.Rejected = append(s.Rejected, r)
	}
}

// Forget drops batches that were acknowledged longer than keep before the last acknowledgement. A
// server that is restored from an older backup never gets them back, so keep must exceed the
// interval between backups.
func (s *State) Forget(keep time.Duration) {
	var last time.Time
	for _, b := range s.Batches {
		if b.ReceivedAt.After(last) {
			last = b.ReceivedAt
		}
	}
	s.Batches = slices.DeleteFunc(s.Batches, func(b Batch) bool {
		return b.Acknowledged && b.ReceivedAt.Before(last.Add(-keep))
	})
}

// Fork continues under a fresh client id, which the server issues when this device is a copy of
// another or was restored from a backup. Pending batches are numbered from 1; they keep their ids,
// and with them the chain to what the server has. What was delivered to the fresh id may be less
// than what is shown here, so the next pull fetches the whole document.
func (s *State) Fork(fresh string) {
	s.Client, s.Number, s.Cursor = fresh, 0, ""
	for i := range s.Batches {
		if b := &s.Batches[i]; !b.Acknowledged {
			s.Number++
			b.Client, b.Number = fresh, s.Number
		}
	}
}

// Disown makes b pending: what the server holds under its number is not b, but was sent by a copy
// of this device. Call it before Fork.
func (s *State) Disown(b Batch) {
	for i := range s.Batches {
		if own := &s.Batches[i]; own.Client == b.Client && own.Number == b.Number {
			own.Acknowledged, own.Doubted = false, false
		}
	}
}

// Show stores one page of results that the server delivered to this client: the whole document, or
// what changed since Cursor. Seen advances with the last page only, since the pages before it do
// not belong to one moment.
//
// A delta names the paths that changed: the leaves of its document and the paths in Removed. Show
// replaces what is held at and below each of them, and the conflicts at, above and below them.
func (s *State) Show(r Results, whole bool) error {
	page, err := readDocument(r.Document)
	if err != nil {
		return err
	}
	if s.Conflicts == nil || whole {
		s.Conflicts = map[Pointer]Conflict{}
	}
	if whole {
		s.Document = page
	} else {
		s.apply(page, r.Removed)
	}
	for _, c := range r.Conflicts {
		s.Conflicts[c.Path] = c
	}
	s.Cursor, s.Late, s.Checkpoint = r.Cursor, r.Late, cmp.Or(r.Checkpoint, s.Checkpoint)
	if r.Complete {
		s.Seen = r.Clock
	}
	if r.Epoch != s.Epoch { // the first response too: the server may have lost what was sent before it
		s.requeue()
	}
	s.Epoch = r.Epoch
	return nil
}

// apply puts the leaves of a delta into the document and deletes the removed paths.
func (s *State) apply(delta Document, removed []Pointer) {
	for _, l := range delta.leaves() {
		s.Document.Put(l.path, l.value)
		s.settle(l.path)
	}
	for _, p := range removed {
		s.Document.remove(p)
		s.settle(p)
	}
}

// settle drops the conflicts at p, above it and below. Those that are still open are on the same
// page.
func (s *State) settle(p Pointer) {
	maps.DeleteFunc(s.Conflicts, func(at Pointer, _ Conflict) bool { return at.Contains(p) || p.Contains(at) })
}

// requeue prepares to send again what a restored server lost. Show calls it in the same step that
// stores the new epoch, so that a device which is switched off in between forgets neither. An
// acknowledged batch beyond Seen is lost on the server and pending again. The others are doubted
// and sent again too: since the restore a copy of this device may have used their numbers. The
// server reports those that it still has as duplicates.
func (s *State) requeue() {
	for i := range s.Batches {
		b := &s.Batches[i]
		if s.Seen[b.Client] < b.Number {
			b.Acknowledged = false
		}
		b.Doubted = b.Acknowledged
	}
}

// Clone returns a copy that shares nothing with s.
func (s *State) Clone() (State, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return State{}, fmt.Errorf("client: %w", err)
	}
	var copied State
	if err := json.Unmarshal(text, &copied); err != nil {
		return State{}, fmt.Errorf("client: %w", err)
	}
	return copied, nil
}

// Batch is a number of changes that were recorded together and are posted together. Once it may
// have been sent only Client, Number, Acknowledged, Doubted and ReceivedAt change.
type Batch struct {
	Client       string    `json:"client_id"`
	Number       int64     `json:"number"` // of the batches of Client, from 1
	ID           string    `json:"batch_id"`
	PrevID       string    `json:"prev_batch_id"` // of the batch before, whatever client id that was sent under
	Seen         Clock     `json:"seen"`          // what its writer had been shown when it was recorded
	CapturedAt   time.Time `json:"captured_at"`   // by the clock of the device
	Changes      []Change  `json:"changes"`
	Acknowledged bool      `json:"acknowledged"`
	Doubted      bool      `json:"doubted,omitzero"`     // acknowledged before a server restore, to be sent again
	ReceivedAt   time.Time `json:"received_at,omitzero"` // when it was acknowledged, by the clock of the server
}

// Submission returns b as it is posted. sent is the time of the first attempt by the clock of the
// device.
func (b Batch) Submission(sent time.Time) Submission {
	clock := Clock{}
	maps.Copy(clock, b.Seen)
	clock[b.Client] = b.Number
	return Submission{Changes: b.Changes, Meta: Meta{
		Client: b.Client, ClientType: "go", BatchID: b.ID, PrevBatch: b.PrevID,
		Clock: clock, CapturedAt: b.CapturedAt, SentAt: sent.UTC(),
	}}
}

// Key returns the Idempotency-Key of b. It is the same at each attempt, also after a restart.
func (b Batch) Key() string { return b.Client + ":" + b.ID }
