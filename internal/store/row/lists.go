package row

import (
	"cmp"
	"math"
	"slices"

	"firemode"
	"firemode/internal/store"
)

// A session is in one list for each of its viewers, in table session_technicians. What a filter
// asks for is a merge of ranges of those lists that share no session, so that a page costs a page
// of each range, and not the number of sessions.
const (
	allSessions = "*" // the list of all sessions
	unassigned  = ""  // the list of sessions that name no technician
)

func viewer(u firemode.UserID) string { return "@" + string(u) }

// Viewers returns the lists that a session which names these technicians stands in.
func Viewers(technicians []firemode.UserID) []string {
	if len(technicians) == 0 {
		return []string{allSessions, unassigned}
	}
	viewers := []string{allSessions}
	for _, u := range technicians {
		viewers = append(viewers, viewer(u))
	}
	slices.Sort(viewers)
	return slices.Compact(viewers)
}

// SessionRange is a part of a list of sessions that an index has in order.
type SessionRange struct {
	Viewer   string
	Status   firemode.SessionStatus
	Building firemode.BuildingID // "" for any
	Also     string              // another viewer whose list the sessions must be in, "" for none
}

// SessionRanges returns the ranges that hold the sessions f asks for in one of buildings, in which
// "" stands for any.
func SessionRanges(f store.SessionFilter, buildings []firemode.BuildingID) []SessionRange {
	viewers, also := filterViewers(f)
	statuses := slices.Compact(slices.Sorted(slices.Values(f.Statuses)))
	if len(statuses) == 0 {
		statuses = []firemode.SessionStatus{
			firemode.SessionPending, firemode.SessionActive, firemode.SessionCompleted, firemode.SessionReopened,
		}
	}
	var ranges []SessionRange
	for _, b := range buildings {
		for _, v := range viewers {
			for _, s := range statuses {
				ranges = append(ranges, SessionRange{Viewer: v, Status: s, Building: b, Also: also})
			}
		}
	}
	return ranges
}

func filterViewers(f store.SessionFilter) (viewers []string, also string) {
	switch {
	case f.Technician != "" && f.VisibleTo != "" && f.Technician != f.VisibleTo:
		return []string{viewer(f.Technician)}, viewer(f.VisibleTo)
	case f.Technician != "":
		return []string{viewer(f.Technician)}, ""
	case f.VisibleTo != "":
		return []string{viewer(f.VisibleTo), unassigned}, ""
	}
	return []string{allSessions}, ""
}

// VisibleTo returns the lists that hold the sessions that technician u may see.
func VisibleTo(u firemode.UserID) []string { return []string{viewer(u), unassigned} }

// ListKey is where a session stands in its lists.
type ListKey struct {
	CreatedAt int64 // microseconds since the epoch
	ID        firemode.SessionID
}

// ScanListKey reads created_at and session_id.
func ScanListKey(r Scanner) (k ListKey, err error) {
	err = scan(r, "session_technicians", &k.CreatedAt, &k.ID)
	return k, err
}

func (k ListKey) String() string { return store.Key(k.CreatedAt, string(k.ID)) }

// Newer orders the newest first.
func (k ListKey) Newer(o ListKey) int {
	return cmp.Or(cmp.Compare(o.CreatedAt, k.CreatedAt), cmp.Compare(o.ID, k.ID))
}

// SessionBounds returns the keys between which page p of the list that f asks for lies: older than
// before, not older than from.
func SessionBounds(f store.SessionFilter, p store.Page) (before ListKey, from int64, err error) {
	before, from = ListKey{CreatedAt: math.MaxInt64}, math.MinInt64
	if !f.From.IsZero() {
		from = store.Micros(f.From)
	}
	if p.After != "" {
		at, id, err := store.ParseKey(p.After)
		if err != nil {
			return before, 0, err
		}
		before = ListKey{CreatedAt: at, ID: firemode.SessionID(id)}
	}
	if !f.To.IsZero() {
		if to := (ListKey{CreatedAt: store.Micros(f.To)}); before.Newer(to) < 0 {
			before = to
		}
	}
	return before, from, nil
}
