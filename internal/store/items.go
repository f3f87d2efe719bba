package store

import (
	"context"

	"firemode"
)

// ItemFilter narrows a list of items.
type ItemFilter struct {
	Level, System string
	States        []firemode.ItemState // any of them; none for all
	Text          string               // part of id, name or location, any case
}

// ItemReader reads the items of a session.
type ItemReader interface {
	// Items lists by position, then id.
	Items(
		ctx context.Context, org firemode.OrgID, s firemode.SessionID, f ItemFilter, p Page,
	) ([]Keyed[firemode.Item], error)
	// ItemsByID returns those of ids that exist, in any order.
	ItemsByID(
		ctx context.Context, org firemode.OrgID, s firemode.SessionID, ids []firemode.ItemID,
	) ([]firemode.Item, error)
}

// ItemWriter writes the items of a session.
type ItemWriter interface {
	// CreateItems adds items; CodeConflict if an id is taken in the session.
	CreateItems(ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item) error
	// SaveItemStates writes State, Outcome, Missing and Conflicts of items that exist, and skips
	// the others.
	SaveItemStates(ctx context.Context, org firemode.OrgID, s firemode.SessionID, items []firemode.Item) error
}
