package store

import (
	"context"

	"firemode"
)

// OrganisationReader reads organisations.
type OrganisationReader interface {
	// Organisation returns the organisation; CodeNotFound if there is none.
	Organisation(ctx context.Context, id firemode.OrgID) (firemode.Organisation, error)
	// Organisations lists all of them by id.
	Organisations(ctx context.Context) ([]firemode.Organisation, error)
}

// OrganisationWriter writes organisations.
type OrganisationWriter interface {
	// CreateOrganisation adds an organisation; CodeConflict if the id is taken.
	CreateOrganisation(ctx context.Context, o firemode.Organisation) error
}
