package firemode

import "strings"

// Identifiers are strings of [A-Za-z0-9_-]{1,64}; rule codes may also hold dots. They are unique
// within an organisation: the same id in another organisation names something else. A client may
// choose the id of what it creates, so that it can work offline.
type (
	OrgID      string // an organisation
	UserID     string // a user of an organisation
	BuildingID string // a building of an organisation
	AssetID    string // the owner's tag, unique in its building
	SessionID  string // a test session: one service visit
	ItemID     string // one thing to inspect in one session: an AssetID, "system-SK" or "site-GN"
	RuleCode   string // e.g. "AS1851-2012-FE-01"
	DefectID   string // derived from (session, item, rule, condition), see NewDefectID
	AuditID    string // an entry of the audit log
)

// MaxIDLength is the greatest length of an id in bytes.
const MaxIDLength = 64

// ValidID reports whether s is [A-Za-z0-9_-]{1,64}.
func ValidID(s string) bool { return validID(s, "") }

// ValidRuleCode reports whether s is [A-Za-z0-9_.-]{1,64}.
func ValidRuleCode(s string) bool { return validID(s, ".") }

func validID(s, extra string) bool {
	if s == "" || len(s) > MaxIDLength {
		return false
	}
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
		case strings.ContainsRune(extra, r):
		default:
			return false
		}
	}
	return true
}
