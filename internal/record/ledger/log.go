package ledger

import (
	"encoding/json"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/internal/record/crdt"
)

// Kinds of log entries.
const (
	EntryChanges = "changes" // a batch
	EntryStatus  = "status"  // the session was completed or reopened, or its gaps were accepted
)

// Entry is one entry of a session's log. The log is the record: operations, actors, items and
// defects follow from it.
type Entry struct {
	Seq         int64
	Kind        string
	Actor       crdt.ActorID // "" in a status entry
	Number      int64        // of the batch among its actor's; 0 in a status entry
	ID, PrevID  string       // batch_id and prev_batch_id, "" when the client gave none
	Content     []byte       // crdt.Content of the changes
	Key         string       // the Idempotency-Key of a client that does not count, "" otherwise
	User        firemode.UserID
	SubmittedBy firemode.UserID // who handed in an exported batch, "" for User
	Client      string
	ClientType  string
	CapturedAt  time.Time // zero when not given
	SentAt      time.Time // zero when not given
	ReceivedAt  time.Time
	Context     crdt.Clock // the clamped foreign entries
	Changes     []byte     // a JSON array of canonical changes; the particulars of a status entry
	Outcomes    []Outcome  // of each change
	Flags       []string
	Prev, Hash  []byte
	MergedSeq   int64 // the number at which it became part of the document; 0 while it is late
	PrefixSeq   int64 // the number at which it became part of its actor's contiguous prefix; 0 before
}

// Outcome is what became of a change.
type Outcome struct {
	Status string // "applied", "superseded" or "rejected"
	Reason string // of a rejection
	Time   int64  // effective time in microseconds, see crdt.Op
	Flags  []string
}

// Actor is the writer of batches in one session.
type Actor struct {
	ID         crdt.ActorID
	Client     string // the client_id it goes by, "" for the one of a user without
	ClientType string
	User       firemode.UserID // whom it is bound to
	Held       crdt.Ranges     // the numbers that have arrived
	Merged     crdt.Ranges     // those that are part of the document: without late ones
	PrefixSeq  int64           // the number at which Merged.Prefix last grew
	Delivered  int64           // the document as of this number was delivered to it; only Deliver writes it
	Parent     crdt.ActorID    // the actor that this fresh one forked from, "" for none
	LastSync   time.Time       // receipt of its last batch, zero before
}

// Op is a stored operation.
type Op struct {
	crdt.Op
	Merged        int64 // the number at which it became part of the document
	SupersededSeq int64 // the number from which on it is not live, 0 while it is
	Noted         int64 // the number at which a conflict at or above it last changed though it did not, 0 for never
}

// BatchRef names a batch by actor and number.
type BatchRef struct {
	Actor  crdt.ActorID
	Number int64
}

// BatchKey names a batch of a client that does not count by the Idempotency-Key it was posted
// under.
type BatchKey struct {
	Actor crdt.ActorID
	Key   string
}

// SessionRef names a session and its organisation.
type SessionRef struct {
	Org     firemode.OrgID
	Session firemode.SessionID
}

// Quarantined is the batch of a forked client: kept, and not applied.
type Quarantined struct {
	Actor      crdt.ActorID
	Number     int64
	Content    []byte
	ID, PrevID string
	Fresh      crdt.ActorID // the id under which the client must resend it
	User       firemode.UserID
	ReceivedAt time.Time
	Changes    []byte
	Reason     string
	Hash       []byte // over all of the above, see Seal
}

// Seal returns b with its hash, as the log entry that comes after the one with hash prev.
func (b Entry) Seal(s SessionRef, prev []byte) Entry {
	b.Prev = prev
	b.Hash = b.digest(s)
	return b
}

// Sealed reports whether the hash of b is the one over its fields.
func (b Entry) Sealed(s SessionRef) bool { return string(b.Hash) == string(b.digest(s)) }

func (b Entry) digest(s SessionRef) []byte { return b.Header(s).Hash() }

// Header returns everything about a batch but its changes, MergedSeq and PrefixSeq, which follow
// from the entries after it.
func (b Entry) Header(s SessionRef) Header {
	leaves := b.Leaves()
	e := Header{
		Org: string(s.Org), Session: string(s.Session), Seq: b.Seq, Prev: b.Prev, Kind: b.Kind,
		Actor: string(b.Actor), Number: b.Number, ID: b.ID, PrevID: b.PrevID, Content: b.Content, Key: b.Key,
		User: string(b.User), SubmittedBy: string(b.SubmittedBy), Client: b.Client, ClientType: b.ClientType,
		CapturedAt: b.CapturedAt, SentAt: b.SentAt, ReceivedAt: b.ReceivedAt, Flags: b.Flags,
		Changes: int64(len(leaves)), Root: Root(leaves),
	}
	if b.Context != nil {
		e.Context = make(map[string]int64, len(b.Context))
	}
	for actor, n := range b.Context {
		e.Context[string(actor)] = n
	}
	return e
}

// Recorded returns what is recorded of each change, with its provenance; of a status entry, or one
// that is damaged, nothing.
func (b Entry) Recorded() []Leaf {
	var changes []json.RawMessage
	if err := json.Unmarshal(b.Changes, &changes); err != nil {
		return nil
	}
	recorded := make([]Leaf, len(changes))
	for i, change := range changes {
		var o Outcome
		if i < len(b.Outcomes) {
			o = b.Outcomes[i]
		}
		recorded[i] = Leaf{
			Actor: string(b.Actor), Number: b.Number, Index: int64(i), Text: jsontext.Value(change), Status: o.Status,
			Reason: o.Reason,
			Time:   o.Time, Flags: o.Flags, User: string(b.User), SubmittedBy: string(b.SubmittedBy), Client: b.Client,
			ReceivedAt: b.ReceivedAt,
		}
	}
	return recorded
}

// Leaves returns the hashes of what is recorded, so that one change can be shown without the
// others.
func (b Entry) Leaves() [][]byte {
	recorded := b.Recorded()
	if recorded == nil {
		return [][]byte{b.Changes} // hashed as it is
	}
	leaves := make([][]byte, len(recorded))
	for i, c := range recorded {
		leaves[i] = c.Hash()
	}
	return leaves
}

// Seal returns q with its hash.
func (q Quarantined) Seal(s SessionRef) Quarantined {
	q.Hash = q.digest(s)
	return q
}

// Sealed reports whether the hash of q is the one over its fields.
func (q Quarantined) Sealed(s SessionRef) bool { return string(q.Hash) == string(q.digest(s)) }

func (q Quarantined) digest(s SessionRef) []byte {
	return Hash("firemode quarantine v1", []byte(s.Org), []byte(s.Session), []byte(q.Fresh), []byte(q.Actor),
		Number(q.Number),
		q.Content, []byte(q.ID), []byte(q.PrevID), []byte(q.User), moment(q.ReceivedAt), q.Changes, []byte(q.Reason))
}

// RefOf names a session.
func RefOf(s firemode.Session) SessionRef { return SessionRef{Org: s.Org, Session: s.ID} }
