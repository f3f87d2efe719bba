package store

import (
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/ledger"
)

// Seal returns b with its hash, as the log entry that comes after the one with hash prev.
func (b Batch) Seal(s SessionRef, prev []byte) Batch {
	b.Prev = prev
	b.Hash = b.digest(s)
	return b
}

// Sealed reports whether the hash of b is the one over its fields.
func (b Batch) Sealed(s SessionRef) bool { return string(b.Hash) == string(b.digest(s)) }

func (b Batch) digest(s SessionRef) []byte { return b.Entry(s).Hash() }

// Entry returns everything about a batch but its changes, MergedSeq and RunSeq, which follow from the entries after it.
func (b Batch) Entry(s SessionRef) ledger.Entry {
	leaves := b.Leaves()
	e := ledger.Entry{
		Org: string(s.Org), Session: string(s.Session), Seq: b.Seq, Prev: b.Prev, Kind: b.Kind,
		Actor: string(b.Actor), Number: b.Number, ID: b.ID, PrevID: b.PrevID, Content: b.Content, Key: b.Key,
		User: string(b.User), SubmittedBy: string(b.SubmittedBy), Client: b.Client, ClientType: b.ClientType,
		CapturedAt: b.CapturedAt, SentAt: b.SentAt, ReceivedAt: b.ReceivedAt, Flags: b.Flags,
		Changes: int64(len(leaves)), Root: ledger.Root(leaves),
	}
	if b.Context != nil {
		e.Context = make(map[string]int64, len(b.Context))
	}
	for actor, n := range b.Context {
		e.Context[string(actor)] = n
	}
	return e
}

// Recorded returns what is recorded of each change, with its provenance; of a status entry, or one that is damaged, nothing.
func (b Batch) Recorded() []ledger.Leaf {
	var changes []json.RawMessage
	if err := json.Unmarshal(b.Changes, &changes); err != nil {
		return nil
	}
	recorded := make([]ledger.Leaf, len(changes))
	for i, change := range changes {
		var o Outcome
		if i < len(b.Outcomes) {
			o = b.Outcomes[i]
		}
		recorded[i] = ledger.Leaf{
			Actor: string(b.Actor), Number: b.Number, Index: int64(i), Text: jsontext.Value(change), Status: o.Status, Reason: o.Reason,
			Time: o.Time, Flags: o.Flags, User: string(b.User), SubmittedBy: string(b.SubmittedBy), Client: b.Client, ReceivedAt: b.ReceivedAt,
		}
	}
	return recorded
}

// Leaves returns the hashes of what is recorded, so that one change can be shown without the others.
func (b Batch) Leaves() [][]byte {
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
	return ledger.Hash("firemode quarantine v1", []byte(s.Org), []byte(s.Session), []byte(q.Fresh), []byte(q.Actor), ledger.Number(q.Number),
		q.Content, []byte(q.ID), []byte(q.PrevID), []byte(q.User), ledger.Number(Micros(q.ReceivedAt)), q.Changes, []byte(q.Reason))
}
