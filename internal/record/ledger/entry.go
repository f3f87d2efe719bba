package ledger

import (
	stdjson "encoding/json"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Leaf is a leaf of an entry: one change as it was recorded, with who made it, when, and what
// became of it.
type Leaf struct {
	Actor       string         `json:"actor"` // with Number and Index the dot of the change
	Number      int64          `json:"batch"`
	Index       int64          `json:"index"`
	Text        jsontext.Value `json:"change"` // canonical, as it was hashed
	Status      string         `json:"status"`
	Reason      string         `json:"reason"`         // of a rejection
	Time        int64          `json:"effective_time"` // microseconds since the epoch
	Flags       []string       `json:"flags,omitzero"`
	User        string         `json:"user"`
	SubmittedBy string         `json:"submitted_by"` // who handed in an exported batch, "" for User
	Client      string         `json:"client_id"`
	ReceivedAt  time.Time      `json:"received_at"`
}

// Hash returns the leaf.
func (l Leaf) Hash() []byte {
	return Hash("firemode change v1",
		[]byte(l.Actor), Number(l.Number), Number(l.Index), l.Text, []byte(l.Status), []byte(l.Reason),
		Number(l.Time), list(l.Flags), []byte(l.User), []byte(l.SubmittedBy), []byte(l.Client), moment(l.ReceivedAt))
}

// Header is an entry of a session's log without its changes. It has no field that follows from
// entries after it.
type Header struct {
	Org         string           `json:"organisation"`
	Session     string           `json:"session_id"`
	Seq         int64            `json:"sequence"`
	Prev        []byte           `json:"previous"` // hash of entry Seq-1, empty for the first
	Kind        string           `json:"kind"`
	Actor       string           `json:"actor"`
	Number      int64            `json:"batch"`
	ID          string           `json:"batch_id"`
	PrevID      string           `json:"prev_batch_id"`
	Content     []byte           `json:"content"` // hash of what the client sent
	Key         string           `json:"idempotency_key"`
	User        string           `json:"user"`
	SubmittedBy string           `json:"submitted_by"`
	Client      string           `json:"client_id"`
	ClientType  string           `json:"client_type"`
	CapturedAt  time.Time        `json:"captured_at,omitzero"` // by the client's clock
	SentAt      time.Time        `json:"sent_at,omitzero"`     // by the client's clock
	ReceivedAt  time.Time        `json:"received_at"`
	Context     map[string]int64 `json:"vector_clock,omitzero"`
	Flags       []string         `json:"flags,omitzero"`
	Changes     int64            `json:"changes"` // how many leaves
	Root        []byte           `json:"root"`    // of the tree over them
}

// Hash returns the hash of the entry, which is its leaf in the tree over the log.
func (e Header) Hash() []byte {
	context, _ := stdjson.Marshal(e.Context) // maps of strings to numbers always marshal, in order of key
	return Hash("firemode log v1",
		[]byte(e.Org), []byte(e.Session), Number(e.Seq), e.Prev, []byte(e.Kind),
		[]byte(e.Actor), Number(e.Number), []byte(e.ID), []byte(e.PrevID), e.Content, []byte(e.Key),
		[]byte(e.User), []byte(e.SubmittedBy), []byte(e.Client), []byte(e.ClientType),
		moment(e.CapturedAt), moment(e.SentAt), moment(e.ReceivedAt),
		context, list(e.Flags), Number(e.Changes), e.Root)
}

func list(flags []string) []byte {
	text, _ := stdjson.Marshal(flags) // strings always marshal; none and an empty list are two things
	return text
}

// moment is t to the microsecond, 0 for none.
func moment(t time.Time) []byte {
	if t.IsZero() {
		return Number(0)
	}
	return Number(t.UnixMicro())
}
