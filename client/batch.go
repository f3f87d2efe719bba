package client

import (
	"maps"
	"time"
)

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
