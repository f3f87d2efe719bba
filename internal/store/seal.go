package store

import (
	"encoding/json"

	"firemode/internal/ledger"
)

// Seal returns b with its hash, as the log entry that comes after the one with hash prev.
func (b Batch) Seal(s SessionRef, prev []byte) Batch {
	b.Prev = prev
	b.Hash = b.digest(s)
	return b
}

// Sealed reports whether the hash of b is the one over its fields.
func (b Batch) Sealed(s SessionRef) bool { return string(b.Hash) == string(b.digest(s)) }

// digest covers everything about a batch but MergedSeq and RunSeq, which follow from the entries after it.
func (b Batch) digest(s SessionRef) []byte {
	context, _ := json.Marshal(b.Context) // maps of strings to numbers always marshal, in order of key
	flags, _ := json.Marshal(b.Flags)
	return ledger.Hash("firemode log v1",
		[]byte(s.Org), []byte(s.Session), ledger.Number(b.Seq), b.Prev, []byte(b.Kind),
		[]byte(b.Actor), ledger.Number(b.Number), []byte(b.ID), []byte(b.PrevID), b.Content, []byte(b.Key),
		[]byte(b.User), []byte(b.SubmittedBy), []byte(b.Client), []byte(b.ClientType),
		ledger.Number(Micros(b.CapturedAt)), ledger.Number(Micros(b.SentAt)), ledger.Number(Micros(b.ReceivedAt)),
		context, flags, ledger.Root(b.Leaves()))
}

// Leaves returns what is recorded of each change, with its provenance, so that one of them can be shown without the others.
func (b Batch) Leaves() [][]byte {
	var changes []json.RawMessage
	if err := json.Unmarshal(b.Changes, &changes); err != nil {
		return [][]byte{b.Changes} // a status entry, or damage: hashed as it is
	}
	leaves := make([][]byte, len(changes))
	for i, change := range changes {
		var outcome Outcome
		if i < len(b.Outcomes) {
			outcome = b.Outcomes[i]
		}
		flags, _ := json.Marshal(outcome.Flags)
		leaves[i] = ledger.Hash("firemode change v1",
			[]byte(b.Actor), ledger.Number(b.Number), ledger.Number(int64(i)), change, []byte(outcome.Status), []byte(outcome.Reason),
			ledger.Number(outcome.Time), flags, []byte(b.User), []byte(b.SubmittedBy), []byte(b.Client), ledger.Number(Micros(b.ReceivedAt)))
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
