package client

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"firemode"
	"firemode/internal/record/crdt"
)

// State is what a phone remembers of one session: what was recorded on it, and what it was shown. Written as JSON it can be stored, restored
// and copied to another phone; the copy finds out that it is one when it syncs. Its methods do no I/O.
type State struct {
	Session firemode.SessionID `json:"session_id"`
	Client  string             `json:"client_id"` // what it goes by now
	// Number and LastID are those of the last batch that was queued under Client; 0 and "" before the first. After a fork LastID is
	// still that of the batch before, whatever it was sent under.
	Number int64  `json:"number"`
	LastID string `json:"last_batch_id"`
	// Batches holds what was recorded here, oldest first, acknowledged or not: a server that is restored from a backup asks for it
	// again. See Forget.
	Batches  []Batch   `json:"batches"`
	Rejected []Refusal `json:"rejected"` // changes for a person to look at, oldest first
	// Checkpoint is the last one that the server gave: with it this phone is a witness of the log up to there.
	Checkpoint string `json:"checkpoint"`
	// Epoch is that of the server's log as it was last shown, 0 before.
	Epoch int64 `json:"epoch,omitzero"`

	// What it was shown, complete and at one moment: see Show.
	Seen      crdt.Clock                `json:"seen"`
	Cursor    string                    `json:"cursor"` // "" before anything was shown
	Document  Document                  `json:"document"`
	Conflicts map[crdt.Pointer]Conflict `json:"conflicts"`
	Late      []LateBatch               `json:"late"`
}

// Batch is what was recorded between two moments, as it is posted. Only Client, Number, Acknowledged, Doubted and ReceivedAt ever change.
type Batch struct {
	Client       string     `json:"client_id"`
	Number       int64      `json:"number"`
	ID           string     `json:"batch_id"`
	PrevID       string     `json:"prev_batch_id"`
	Seen         crdt.Clock `json:"seen"` // what its writer had been shown when it was recorded
	CapturedAt   time.Time  `json:"captured_at"`
	Changes      []Change   `json:"changes"`
	Acknowledged bool       `json:"acknowledged"`
	Doubted      bool       `json:"doubted,omitzero"`     // acknowledged, and to be sent again all the same: see State.Restored
	ReceivedAt   time.Time  `json:"received_at,omitzero"` // by the server's clock, of its acknowledgement
}

// Refusal is a change that the server did not apply. It is sent again, when somebody has put it right, in a new batch.
type Refusal struct {
	Client string `json:"client_id"`
	Number int64  `json:"number"`
	Change Change `json:"change"`
	Reason string `json:"reason"`
}

// Queue adds changes to the outbox as of time at, by the phone's clock. newID makes the id of the batch, which must be a new one
// each time. What a writer had seen is noted now and not when the batch is sent: what is shown in between was not seen by who
// recorded this.
func (s *State) Queue(changes []Change, at time.Time, newID func() string) {
	for part := range slices.Chunk(changes, crdt.MaxChanges) {
		s.Number++
		b := Batch{
			Client: s.Client, Number: s.Number, ID: newID(), PrevID: s.LastID, Seen: s.Seen, CapturedAt: at.UTC(), Changes: slices.Clone(part),
		}
		s.LastID = b.ID
		s.Batches = append(s.Batches, b)
	}
}

// Pending returns what has not been acknowledged, oldest first.
func (s *State) Pending() []Batch {
	var pending []Batch
	for _, b := range s.Batches {
		if !b.Acknowledged {
			pending = append(pending, b)
		}
	}
	return pending
}

// Submission is b as it is posted at time sent, by the phone's clock.
func (b Batch) Submission(sent time.Time) Submission {
	clock := crdt.Clock{}
	for id, n := range b.Seen {
		clock[id] = n
	}
	clock[crdt.ActorID(b.Client)] = b.Number
	return Submission{Changes: b.Changes, Meta: Meta{
		Client: b.Client, ClientType: "go", BatchID: b.ID, PrevBatch: b.PrevID, Clock: clock, CapturedAt: b.CapturedAt, SentAt: sent.UTC(),
	}}
}

// Key is the Idempotency-Key of b, the same at each attempt, also after a restart.
func (b Batch) Key() string { return b.Client + ":" + b.ID }

// Acknowledge notes the receipt of a batch: it is durable, what was rejected is put aside, and what the server is missing will be
// sent again.
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
			s.refuse(Refusal{Client: b.Client, Number: b.Number, Change: b.Changes[result.Index], Reason: result.Reason})
		}
	}
}

// Forget drops what the server had acknowledged by the time keep before its last acknowledgement. A server that is restored from a
// backup which is older than that is not given those batches again, so keep is longer than backups are apart.
func (s *State) Forget(keep time.Duration) {
	var last time.Time
	for _, b := range s.Batches {
		if b.ReceivedAt.After(last) {
			last = b.ReceivedAt
		}
	}
	s.Batches = slices.DeleteFunc(s.Batches, func(b Batch) bool { return b.Acknowledged && b.ReceivedAt.Before(last.Add(-keep)) })
}

// refuse notes a refusal once, however often the batch is answered.
func (s *State) refuse(r Refusal) {
	known := func(q Refusal) bool {
		return q.Client == r.Client && q.Number == r.Number && q.Change.Path == r.Change.Path && q.Reason == r.Reason
	}
	if !slices.ContainsFunc(s.Rejected, known) {
		s.Rejected = append(s.Rejected, r)
	}
}

// Fork goes on under a fresh id, which the server has given because this phone is a copy of another, or was restored from a backup. What is
// pending is numbered anew from 1; ids, and with them the chain back to what the server holds, stay true. What was delivered to the fresh id may be
// less than what is shown here, so the next pull is a whole one.
func (s *State) Fork(fresh string) {
	s.Client, s.Number, s.Cursor = fresh, 0, ""
	for i := range s.Batches {
		if b := &s.Batches[i]; !b.Acknowledged {
			s.Number++
			b.Client, b.Number = fresh, s.Number
		}
	}
}

// Disown notes that what the server holds under the number of b is not b, but was sent by a copy of this phone: b is pending again, to
// be sent under the fresh id.
func (s *State) Disown(b Batch) {
	for i := range s.Batches {
		if own := &s.Batches[i]; own.Client == b.Client && own.Number == b.Number {
			own.Acknowledged, own.Doubted = false, false
		}
	}
}

// Clone returns a copy that shares nothing with s: a backup, or another phone that was set up from this one.
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
