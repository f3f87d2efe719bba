package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/note"
)

// Proof shows one change of a log. Anyone with the public key can check it offline. It proves that
// the change was recorded with this content, in this entry of the log that the checkpoint states;
// it does not prove that the recorded reading is true.
type Proof struct {
	Change     Leaf     `json:"reading"`
	ChangePath [][]byte `json:"reading_path"` // from the change to the root of its entry
	Entry      Header   `json:"entry"`
	EntryPath  [][]byte `json:"entry_path"` // from the entry to the root of the log
	Checkpoint string   `json:"checkpoint"` // signed note
}

// Check returns the checkpoint that proves p, or says what is wrong.
func (p Proof) Check(key note.Verifier) (Checkpoint, error) {
	c, err := OpenCheckpoint(p.Checkpoint, key)
	switch {
	case err != nil:
		return c, err
	case c.Org != p.Entry.Org || c.Session != p.Entry.Session:
		return c, fmt.Errorf("the checkpoint is of session %s of %s, the reading of session %s of %s", c.Session, c.Org,
			p.Entry.Session, p.Entry.Org)
	case p.Change.Actor != p.Entry.Actor || p.Change.Number != p.Entry.Number:
		return c, errors.New("the reading is of another batch than the entry")
	case finer(p.Change.ReceivedAt, p.Entry.CapturedAt, p.Entry.SentAt, p.Entry.ReceivedAt):
		return c, errors.New("a time is finer than the microseconds that are recorded")
	}
	if err := CheckInclusion(p.ChangePath, p.Entry.Changes, p.Entry.Root, p.Change.Index, p.Change.Hash()); err != nil {
		return c, fmt.Errorf("the reading is not one of log entry %d, or was altered: %w", p.Entry.Seq, err)
	}
	if err := CheckInclusion(p.EntryPath, c.Size, c.Root, p.Entry.Seq-1, p.Entry.Hash()); err != nil {
		return c, fmt.Errorf("log entry %d is not in the log that was signed, or was altered: %w", p.Entry.Seq, err)
	}
	return c, nil
}

func finer(times ...time.Time) bool {
	return slices.ContainsFunc(times, func(t time.Time) bool { return !t.Equal(t.Truncate(time.Microsecond)) })
}

// Encode returns p as a file. There is one way to write a proof.
func (p Proof) Encode() ([]byte, error) { return encode(p) }

// ParseProof reads what Encode writes, and nothing else.
func ParseProof(file []byte) (p Proof, err error) {
	if err = parse(file, &p); err == nil && elsewhere(p.Change.ReceivedAt, p.Entry.CapturedAt, p.Entry.SentAt,
		p.Entry.ReceivedAt) {
		err = errors.New("a time is not written as of UTC")
	}
	return p, err
}

// elsewhere reports whether a time is as of a zone other than UTC: the same moment can be written
// in many.
func elsewhere(times ...time.Time) bool {
	return slices.ContainsFunc(times, func(t time.Time) bool { return t.Location() != time.UTC })
}

// Continuation shows that the log of one checkpoint is the beginning of the log of a later one:
// nothing that was in it has been changed or taken out.
type Continuation struct {
	From       int64    `json:"from"` // size of the log at the earlier checkpoint
	Path       [][]byte `json:"path"`
	Checkpoint string   `json:"checkpoint"` // the later one, a signed note
}

// Check is nil if c continues the log of the signed checkpoint before.
func (c Continuation) Check(before string, key note.Verifier) error {
	old, err := OpenCheckpoint(before, key)
	if err != nil {
		return err
	}
	now, err := OpenCheckpoint(c.Checkpoint, key)
	switch {
	case err != nil:
		return err
	case old.Org != now.Org || old.Session != now.Session:
		return errors.New("the checkpoints are of two sessions")
	case old.Size != c.From:
		return fmt.Errorf("the checkpoint is of %d entries, the proof from %d", old.Size, c.From)
	}
	return CheckConsistency(c.Path, now.Size, now.Root, old.Size, old.Root)
}

// Encode returns c as a file.
func (c Continuation) Encode() ([]byte, error) { return encode(c) }

// ParseContinuation reads what Encode writes, and nothing else.
func ParseContinuation(file []byte) (c Continuation, err error) {
	err = parse(file, &c)
	return c, err
}

func encode(v any) ([]byte, error) {
	// Strings within a change stay as they are: they were hashed so.
	text, err := json.Marshal(v, json.Deterministic(true), jsontext.PreserveRawStrings(true))
	return append(text, '\n'), err
}

func parse[T any](file []byte, into *T) error {
	if err := json.Unmarshal(file, into, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("not a proof: %w", err)
	}
	again, err := encode(*into)
	if err != nil {
		return fmt.Errorf("not a proof: %w", err)
	}
	if !bytes.Equal(again, file) {
		return errors.New("not a proof as it was written: its text or layout was changed")
	}
	return nil
}
