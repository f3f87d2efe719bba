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
	// VisibleTo is the technician who asks: only sessions that name them or no technician. "" for
	// no such limit.
	VisibleTo firemode.UserID
	// OwnedBy is the owner who asks: only sessions of buildings that name them. "" for no such
	// limit.
	OwnedBy  firemode.UserID
	From, To time.Time // created in [From, To); zero for no bound
}

// SessionReader reads sessions.
type SessionReader interface {
	// Session returns the session; CodeNotFound if there is none.
	Session(ctx context.Context, org firemode.OrgID, id firemode.SessionID) (firemode.Session, error)
	// Sessions lists by (created, id), newest first. Its cost follows the page, not the number of
	// sessions.
	Sessions(ctx context.Context, org firemode.OrgID, f SessionFilter, p Page) ([]Keyed[firemode.Session], error)
	// SessionsByID returns those of ids that exist in org, in any order.
	SessionsByID(ctx context.Context, org firemode.OrgID, ids []firemode.SessionID) ([]firemode.Session, error)
	// LastResults returns what the latest completed visit to the building found, by item.
	LastResults(
		ctx context.Context, org firemode.OrgID, b firemode.BuildingID,
	) (map[firemode.ItemID]firemode.LastResult, error)
}

// SessionWriter writes sessions.
type SessionWriter interface {
	// CreateSession adds the session and its head; CodeConflict if the id is taken.
	CreateSession(ctx context.Context, s firemode.Session, h ledger.Head) error
	// UpdateSession writes Name, Status, Reason, Technicians, CompletedAt and the counts of the
	// session whose Version is s.Version, and raises the version. CodeChanged if the version is
	// another, CodeNotFound if there is no such session.
	UpdateSession(ctx context.Context, s firemode.Session) error
	// LockSessions returns those of ids that exist in org with their heads, in order of id, and
	// keeps other writers from them until the transaction ends. It takes the locks in order of id,
	// so that two groups cannot wait for each other.
	LockSessions(ctx context.Context, org firemode.OrgID, ids []firemode.SessionID) ([]LockedSession, error)
	// SaveHead writes the head of a locked session; CodeNotFound if there is no such session.
	SaveHead(ctx context.Context, org firemode.OrgID, id firemode.SessionID, h ledger.Head) error
	// SaveLastResults keeps what a completed visit found. It never replaces what a later visit
	// found on the same item.
	SaveLastResults(
		ctx context.Context, org firemode.OrgID, b firemode.BuildingID, found map[firemode.ItemID]firemode.LastResult,
	) error
}

// LockedSession is a session and its head under lock.
type LockedSession struct {
	Session firemode.Session
	Head    ledger.Head
}
