package crdt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// MaxAhead is how far a batch number may be ahead of its actor's contiguous prefix.
const MaxAhead = 10_000

// Posted is a numbered batch as it arrives, before anything is decided about it.
type Posted struct {
	Actor   ActorID
	Number  int64
	ID      string // batch_id, "" when the client gave none
	PrevID  string // prev_batch_id
	Content [sha256.Size]byte
}

// Known is what is stored of one batch of the same actor.
type Known struct {
	ID, PrevID string
	Content    [sha256.Size]byte
}

// Admission says what to do with a numbered batch.
type Admission uint8

// The admissions.
const (
	Admit     Admission = iota // new: apply it
	Duplicate                  // already stored: repeat the stored response, change nothing
	Fork                       // from a cloned or restored phone: quarantine it and assign a fresh actor id
)

// Decide compares a posted batch with what is stored of its actor: the batch with the same number
// and its neighbours, nil where there is none. held is every number that has arrived.
func Decide(p Posted, held Ranges, same, below, above *Known) Admission {
	differs := func(a, b string) bool { return a != "" && b != "" && a != b }
	switch {
	case same != nil:
		if same.Content == p.Content && !differs(same.ID, p.ID) {
			return Duplicate
		}
		return Fork
	case p.Number > held.Prefix()+MaxAhead:
		return Fork
	case below != nil && differs(p.PrevID, below.ID):
		return Fork
	case above != nil && differs(above.PrevID, p.ID):
		return Fork
	default:
		return Admit
	}
}

// FreshActor returns the actor id that a forked client must continue under. It depends only on key
// and the batch, so a retry gets the same id.
func FreshActor(key []byte, p Posted) ActorID {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "firemode fork v1 %d:%s %d %x %d:%s", len(p.Actor), p.Actor, p.Number, p.Content, len(p.ID), p.ID)
	encoding := base32.StdEncoding.WithPadding(base32.NoPadding)
	return ActorID("f-" + strings.ToLower(encoding.EncodeToString(mac.Sum(nil)[:15])))
}
