package firemode

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// SessionStatus is where a visit stands: pending → active → completed → active again when a manager
// reopens it.
type SessionStatus string

// The statuses of a session. Reopened is active after having been completed.
const (
	SessionPending   SessionStatus = "pending"
	SessionActive    SessionStatus = "active"
	SessionCompleted SessionStatus = "completed"
	SessionReopened  SessionStatus = "reopened"
)

// Open reports whether results of a session in status s become part of its document at once.
func (s SessionStatus) Open() bool { return s != SessionCompleted }

// Session is one service visit to a building.
type Session struct {
	Org         OrgID
	ID          SessionID
	Building    BuildingID
	Name        string
	Frequency   Frequency
	Status      SessionStatus
	Reason      string // why it was last reopened, or why its gaps were accepted
	Technicians []UserID
	ItemCount   int
	CheckCount  int
	Version     int64 // counts changes of the metadata, for the ETag
	CreatedAt   time.Time
	CreatedBy   UserID
	CompletedAt time.Time // zero unless completed
	Creation    []byte
	Format      int // of the log: how the record is derived from it; CurrentFormat for a new session
}

// CurrentFormat is the format of new sessions. A session keeps its format: a change in how the
// record is derived from the log is a new format.
const CurrentFormat = 1

// OpenTo reports whether p may see the session by what the session itself says: a technician those
// that name them or nobody. An owner's right hangs from the building, see Building.ReadableBy.
func (s Session) OpenTo(p Principal) bool {
	return p.Role != RoleTechnician || len(s.Technicians) == 0 || slices.Contains(s.Technicians, p.User)
}

// ItemState says how far the record of an item is.
type ItemState string

// The states of an item.
const (
	ItemUntouched  ItemState = "untouched"  // nothing is recorded
	ItemIncomplete ItemState = "incomplete" // something is missing, see Item.Missing
	ItemDisputed   ItemState = "disputed"   // a conflict is open at or below it
	ItemDone       ItemState = "done"
)

// Item is one thing to look at in one visit.
type Item struct {
	ID        ItemID
	Kind      AssetKind
	Type      string // code of the asset type, "system-SK", "site-GN"; "" for an unlisted item
	Name      string
	System    string
	Level     string
	Location  []string // from the building inwards, e.g. ["Harbour Tower", "L05", "corridor east"]
	Position  int      // in walking order: by level from the lowest, then by id
	Listed    bool     // false for an asset found on site
	Checks    []Check
	Baselines []Baseline
	Last      *LastResult // of the previous completed visit, nil when there is none
	State     ItemState
	Outcome   string   // of the item as a whole, "" while there is none
	Missing   []string // why the item is incomplete, in words
	Conflicts int      // open at or below the item, as of Head.Tallied
}

// Check is one rule that is due on an item, with the version in force when the session was made.
type Check struct {
	Rule    RuleCode
	Version string
}

// LastResult is what the previous completed visit found.
type LastResult struct {
	Session      SessionID
	CompletedAt  time.Time
	Outcome      string
	Measurements map[string]string // name → number as written
}

// DefectStatus is where a defect stands.
type DefectStatus string

// The statuses of a defect. Withdrawn means that no live result reports it any more; it is set by
// the merge alone.
const (
	DefectOpen      DefectStatus = "open"
	DefectNotified  DefectStatus = "notified"
	DefectRectified DefectStatus = "rectified"
	DefectClosed    DefectStatus = "closed"
	DefectWithdrawn DefectStatus = "withdrawn"
)

// Defect is keyed (session, item, rule, condition). It is never deleted.
type Defect struct {
	Org             OrgID
	ID              DefectID
	Session         SessionID
	Building        BuildingID
	Item            ItemID
	Rule            RuleCode
	Version         string // of the rule that judged it
	Condition       string
	Count           string // how many, "1" when the result said true
	Status          DefectStatus
	Class           Class // the latest of Classifications
	Classifications []Classification
	FoundBy         UserID
	FoundAt         time.Time // effective time of the result that opened it
	Note            string    // of the last PATCH
	Revision        int64     // for If-Match
	UpdatedAt       time.Time
}

// Classification is one judgement of a defect. Judgements are added, never changed.
type Classification struct {
	Class   Class
	Default Class
	Rule    RuleCode
	Version string
	Basis   string // "default", "escalated", "override"
	Reason  string // the scope answers that escalated, or the reason of the override
	At      time.Time
	Audit   AuditID
}

// NewDefectID derives the id of the defect keyed (session, item, rule, condition).
func NewDefectID(s SessionID, i ItemID, r RuleCode, condition string) DefectID {
	h := sha256.New()
	for _, part := range []string{"firemode defect", string(s), string(i), string(r), condition} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	sum := h.Sum(nil)
	return DefectID("d-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])))
}
