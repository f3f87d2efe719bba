package store

import (
	"context"

	"firemode"
	"firemode/internal/record/ledger"
)

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
	// Defect returns the defect; CodeNotFound if there is none.
	Defect(ctx context.Context, org firemode.OrgID, id firemode.DefectID) (firemode.Defect, error)
	// Defects lists by (FoundAt at creation, id), oldest first: the order in which rows were added.
	Defects(ctx context.Context, org firemode.OrgID, f DefectFilter, p Page) ([]Keyed[firemode.Defect], error)
	// DefectsByID returns those of ids that exist, in any order.
	DefectsByID(ctx context.Context, org firemode.OrgID, ids []firemode.DefectID) ([]firemode.Defect, error)
	// DefectsOfItems returns the defects of items of the session, in any order.
	DefectsOfItems(ctx context.Context, s ledger.SessionRef, items []firemode.ItemID) ([]firemode.Defect, error)
}

// DefectWriter writes defects.
type DefectWriter interface {
	// SaveDefects adds defects, or writes Version, Count, Status, Class, Classifications, Note and
	// UpdatedAt of those that exist, and raises Revision. Callers hold the lock of their session.
	// CodeNotFound if there is no such session.
	SaveDefects(ctx context.Context, defects []firemode.Defect) error
	// UpdateDefect writes the same fields of the defect whose Revision is d.Revision, and raises
	// it. CodeChanged if the revision is another, CodeNotFound if there is no such defect.
	UpdateDefect(ctx context.Context, d firemode.Defect) error
}
