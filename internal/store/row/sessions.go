package row

import (
	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// SessionColumns are those of table sessions.
const SessionColumns = "org, id, building_id, name, frequency, status, reason, technicians, item_count, check_count, version, " +
	"created_at, created_by, completed_at, creation, format"

// SessionTaken says what CreateSession found taken.
var SessionTaken = Taken{Primary: "a session with this id exists already"}

// SessionValues are in the order of SessionColumns.
func SessionValues(s firemode.Session) ([]any, error) {
	var e encoder
	values := []any{
		s.Org, s.ID, s.Building, s.Name, s.Frequency, s.Status, s.Reason, e.json(s.Technicians), s.ItemCount, s.CheckCount,
		s.Version, store.Micros(s.CreatedAt), s.CreatedBy, store.Micros(s.CompletedAt), blob(s.Creation), s.Format,
	}
	return values, e.err
}

func sessionDest(s *firemode.Session) []any {
	return []any{
		&s.Org, &s.ID, &s.Building, &s.Name, &s.Frequency, &s.Status, &s.Reason,
		store.JSONColumn{Into: &s.Technicians},
		&s.ItemCount, &s.CheckCount, &s.Version,
		store.TimeColumn{Into: &s.CreatedAt},
		&s.CreatedBy,
		store.TimeColumn{Into: &s.CompletedAt},
		&s.Creation,
		&s.Format,
	}
}

// ScanSession reads SessionColumns.
func ScanSession(r Scanner) (s firemode.Session, err error) {
	err = scan(r, "sessions", sessionDest(&s)...)
	return s, err
}

// HeadColumns are those of table session_heads after org and session_id.
const HeadColumns = "seq, hash, epoch, secret, changed_at, changed_seq, done, conflicts, gaps, batches, late, frontier, checkpoint, tallied_seq"

// HeadValues are in the order of HeadColumns.
func HeadValues(h ledger.Head) []any {
	return []any{
		h.Seq, blob(h.Hash), h.Epoch, blob(h.Key), store.Micros(h.ChangedAt), h.ChangedSeq, h.Done, h.Conflicts, h.Gaps,
		h.Batches, h.Late, blob(h.Frontier), h.Checkpoint, h.Tallied,
	}
}

func headDest(h *ledger.Head) []any {
	return []any{
		&h.Seq, &h.Hash, &h.Epoch, &h.Key,
		store.TimeColumn{Into: &h.ChangedAt},
		&h.ChangedSeq, &h.Done, &h.Conflicts, &h.Gaps,
		&h.Batches, &h.Late, &h.Frontier, &h.Checkpoint, &h.Tallied,
	}
}

// ScanHead reads HeadColumns.
func ScanHead(r Scanner) (h ledger.Head, err error) {
	err = scan(r, "session_heads", headDest(&h)...)
	return h, err
}

// ScanLockedSession reads SessionColumns, then HeadColumns.
func ScanLockedSession(r Scanner) (l store.LockedSession, err error) {
	err = scan(r, "sessions", append(sessionDest(&l.Session), headDest(&l.Head)...)...)
	return l, err
}
