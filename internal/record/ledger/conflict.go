package ledger

import (
	"time"

	"firemode"
	"firemode/internal/record/crdt"
)

// Conflict is an open disagreement as people need to see it.
type Conflict struct {
	ID     string
	Path   crdt.Pointer
	Kind   crdt.ConflictKind
	Count  int // of all siblings, also when Values are cut
	Values []Sibling
}

// Sibling is one side of a conflict.
type Sibling struct {
	Dot         string
	Path        crdt.Pointer // where it stands: the conflict's path or below it
	Op          crdt.Kind
	Value       crdt.Value // crdt.Null for a removal
	User        firemode.UserID
	SubmittedBy firemode.UserID
	Client      string
	CapturedAt  time.Time // zero when not given
	ReceivedAt  time.Time
	Instrument  crdt.Value
	Source      string
	Reason      string
	Flags       []string
}

// DescribeConflict describes c with at most limit siblings, all of them when limit is 0.
func DescribeConflict(c crdt.Conflict, limit int) Conflict {
	described := Conflict{ID: c.ID, Path: c.Path, Kind: c.Kind, Count: len(c.Siblings)}
	for i, op := range c.Siblings {
		if limit > 0 && i == limit {
			break
		}
		described.Values = append(described.Values, DescribeSibling(op))
	}
	return described
}

// DescribeSibling describes an operation.
func DescribeSibling(op *crdt.Op) Sibling {
	s := Sibling{Dot: op.Dot.String(), Path: op.Path, Op: op.Kind, Value: op.Value}
	if op.Value == "" {
		s.Value = crdt.Null
	}
	if o := op.Origin; o != nil {
		s.User, s.SubmittedBy, s.Client = firemode.UserID(o.User), firemode.UserID(o.SubmittedBy), o.Client
		s.CapturedAt, s.ReceivedAt = o.CapturedAt, o.ReceivedAt
		s.Instrument, s.Source, s.Reason, s.Flags = o.Instrument, o.Source, o.Reason, o.Flags
	}
	return s
}
