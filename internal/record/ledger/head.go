package ledger

import (
	"time"
)

// Head is the moving part of a session: where its log of batches ends, and counts that follow from
// it. It is a row of its own, the one that every writer of results locks.
type Head struct {
	Seq        int64     // number of the last log entry, 0 for none; gapless
	Hash       []byte    // of that entry
	Epoch      int64     // raised by a restore from backup
	Key        []byte    // secret of the session under which conflict ids and fresh client ids are made
	ChangedAt  time.Time // receipt of the last merged batch; the creation of the session before the first
	ChangedSeq int64     // number at which the document last changed
	Done       int       // listed items whose result is complete
	Conflicts  int       // open conflicts
	Gaps       int       // actors with a missing number
	Batches    int64     // batches of changes, late ones too
	Late       int       // late batches not merged yet
	Frontier   []byte    // of the Merkle tree over the log, see internal/record/ledger
	Checkpoint string    // signed note over the tree as of Seq, "" before the first entry
	Tallied    int64     // entry up to which items' Conflicts are counted; below Seq if an older binary wrote
}
