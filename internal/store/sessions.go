package store

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
)

// SessionFilter narrows a list of sessions.
type SessionFilter struct {
	Statuses   []firemode.SessionStatus // any of them; none for all
	Building   firemode.BuildingID      // "" for any
	Technician firemode.UserID          // "" for any; else only sessions that name this technician
	// VisibleTo is the technician who asks: only sessions that name them or nobody. "" for no such limit.
	VisibleTo firemode.UserID
	// OwnedBy is the owner who asks: only sessions of buildings that name them. "" for no such limit.
	OwnedBy  firemode.UserID
	From, To time.Time // created in [From, To); zero for no bound
}

// SessionReader reads sessions.
type SessionReader interface {
	Session(ctx context.Context, org firemode.OrgID, id firemode.SessionID) (firemode.Session, error)
	// Sessions lists by (created, id), newest first. Its cost follows the page, not the number of sessions.
	Sessions(ctx context.Context, org firemode.OrgID, f SessionFilter, p Page) ([]Keyed[firemode.Session], error)
	// SessionsByID returns those of ids that exist in org, in any order.
	SessionsByID(ctx context.Context, org firemode.OrgID, ids []firemode.SessionID) ([]firemode.Session, error)
	// LastResults returns what the latest completed visit to the building found, by item.
	LastResults(ctx context.Context, org firemode.OrgID, b firemode.BuildingID) (map[firemode.ItemID]firemode.LastResult, error)
}

// SessionWriter writes sessions.
type SessionWriter interface {
	// CreateSession adds the session and its head; CodeConflict if the id is taken.
	CreateSession(ctx context.Context, s firemode.Session, h ledger.Head) error
	// UpdateSession writes Name, Status, Reason, Technicians, CompletedAt and the counts of the session whose Version is
	// s.Version, and raises the version; CodeChanged if it is another.
	UpdateSession(ctx context.Context, s firemode.Session) error
	// LockSessions returns those of ids that exist in org with their heads, in order of id, and keeps other writers from them
	// until the transaction ends. Locks are taken in order of id, so that two groups cannot wait for each other.
	LockSessions(ctx context.Context, org firemode.OrgID, ids []firemode.SessionID) ([]LockedSession, error)
	// SaveHead writes the head of a locked session.
	SaveHead(ctx context.Context, org firemode.OrgID, id firemode.SessionID, h ledger.Head) error
	// SaveLastResults remembers what a completed visit found; a later visit's entry of the same item is never replaced.
	SaveLastResults(ctx context.Context, org firemode.OrgID, b firemode.BuildingID, found map[firemode.ItemID]firemode.LastResult) error
}

// LockedSession is a session and its head under lock.
type LockedSession struct {
	Session firemode.Session
	Head    ledger.Head
}

// ItemFilter narrows a list of items.
type ItemFilter struct {
	Level, System string
	States        []firemode.ItemState // any of them; none for all
	Text          string               // part of id, name or location, any case
}

// ItemReader reads the items of a session.
type ItemReader interface {
	// Items lists by position, then id.
	Items(ctx context.Context, org firemode.OrgID, s firemode.SessionID, f ItemFilter, p Page) ([]Keyed[firemode.Item], error)
	// ItemsByID returns those of ids that exist, in any order.
	ItemsByID(ctx context.Context, org firemode.OrgID, s firemode.SessionID, ids []firemode.ItemID) ([]firemode.Item, error)
}

// ItemWriter writes the items of a session.
type ItemWriter interface {
	CreateItems(ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item) error
	// SaveItemStates writes State, Outcome, Missing and Conflicts of items that exist.
	SaveItemStates(ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item) error
}

// DefectFilter narrows a list of defects.
type DefectFilter struct {
	Building firemode.BuildingID
	Session  firemode.SessionID
	Statuses []firemode.DefectStatus // any of them; none for all
	Classes  []firemode.Class        // any of them; none for all
	// VisibleTo and OwnedBy are as in SessionFilter.
	VisibleTo firemode.UserID
	OwnedBy   firemode.UserID
	// NotSession leaves out one session: the one whose prior faults are asked for.
	NotSession firemode.SessionID
}

// DefectReader reads defects.
type DefectReader interface {
	Defect(ctx context.Context, org firemode.OrgID, id firemode.DefectID) (firemode.Defect, error)
	// Defects lists by (FoundAt of creation, id), oldest first: the order in which rows were added.
	Defects(ctx context.Context, org firemode.OrgID, f DefectFilter, p Page) ([]Keyed[firemode.Defect], error)
	// DefectsByID returns those of ids that exist, in any order.
	DefectsByID(ctx context.Context, org firemode.OrgID, ids []firemode.DefectID) ([]firemode.Defect, error)
	// DefectsOfItems returns the defects of items of the session, in any order.
	DefectsOfItems(ctx context.Context, s ledger.SessionRef, items []firemode.ItemID) ([]firemode.Defect, error)
}

// DefectWriter writes defects.
type DefectWriter interface {
	// SaveDefects adds defects, or writes Version, Count, Status, Class, Classifications, Note and UpdatedAt of those that exist,
	// and raises Revision. Callers hold the lock of their session.
	SaveDefects(ctx context.Context, defects []firemode.Defect) error
	// UpdateDefect writes one whose Revision is d.Revision, and raises it; CodeChanged if it is another.
	UpdateDefect(ctx context.Context, d firemode.Defect) error
}
