package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"

	"firemode"
)

// AuditEntry is one link of an organisation's audit log, a hash chain.
type AuditEntry struct {
	Org     firemode.OrgID
	Seq     int64 // 1, 2, 3 … per organisation
	ID      firemode.AuditID
	At      time.Time
	User    firemode.UserID // "" for the system itself
	Action  string          // e.g. "classify", "session.reopen"
	Subject string          // what it was done to, e.g. a rule code
	Data    []byte          // JSON object with the particulars
	Prev    []byte          // hash of entry Seq-1; empty for the first
	Hash    []byte
}

// Seal returns e as entry seq after prev, with its hash over every other field.
func (e AuditEntry) Seal(seq int64, prev []byte) AuditEntry {
	e.Seq, e.Prev = seq, prev
	e.Hash = e.digest()
	return e
}

// Sealed reports whether the hash of e is the one over its fields.
func (e AuditEntry) Sealed() bool { return string(e.Hash) == string(e.digest()) }

func (e AuditEntry) digest() []byte {
	h := sha256.New()
	var n [8]byte
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	field := func(b []byte) {
		number(int64(len(b)))
		h.Write(b)
	}
	field([]byte("firemode audit v1"))
	field([]byte(e.Org))
	number(e.Seq)
	field([]byte(e.ID))
	number(e.At.UnixMicro())
	field([]byte(e.User))
	field([]byte(e.Action))
	field([]byte(e.Subject))
	field(e.Data)
	field(e.Prev)
	return h.Sum(nil)
}

// Actions in the audit log.
const (
	ActionCreateSession = "session.create" // the subject is the session
	ActionUpdateDefect  = "defect.update"  // the subject is the defect
	ActionClassify      = "classify"       // the subject is the rule
)

// AuditSays reports whether an audit entry says what is expected of it. One that was made when
// entries said less says less.
func AuditSays(e, want AuditEntry) bool {
	var said, expected map[string]json.RawMessage
	if json.Unmarshal(e.Data, &said) != nil || json.Unmarshal(want.Data, &expected) != nil || len(said) == 0 {
		return false
	}
	for name, value := range said {
		if string(value) != string(expected[name]) {
			return false
		}
	}
	return e.User == want.User && e.Subject == want.Subject
}
