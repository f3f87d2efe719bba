package row

import (
	"context"

	"firemode"
	"firemode/internal/store"
)

// OrganisationColumns are those of table organisations.
const OrganisationColumns = "id, name, created_at"

// OrganisationTaken says what CreateOrganisation found taken.
var OrganisationTaken = Taken{Primary: "an organisation with this id exists already"}

// OrganisationValues are in the order of OrganisationColumns.
func OrganisationValues(o firemode.Organisation) []any {
	return []any{o.ID, o.Name, store.Micros(o.CreatedAt)}
}

// ScanOrganisation reads OrganisationColumns.
func ScanOrganisation(s Scanner) (o firemode.Organisation, err error) {
	err = scan(s, "organisations", &o.ID, &o.Name, store.TimeColumn{Into: &o.CreatedAt})
	return o, err
}

const selectOrganisations = "SELECT " + OrganisationColumns + " FROM organisations"

// Organisation implements store.OrganisationReader.
func (r Reader) Organisation(ctx context.Context, id firemode.OrgID) (firemode.Organisation, error) {
	o, err := One(ctx, r.sql, ScanOrganisation, selectOrganisations+" WHERE id = ?", id)
	return Found(o, err, "organisation")
}

// Organisations implements store.OrganisationReader.
func (r Reader) Organisations(ctx context.Context) ([]firemode.Organisation, error) {
	return All(ctx, r.sql, ScanOrganisation, selectOrganisations+" ORDER BY id")
}

// CreateOrganisation implements store.OrganisationWriter.
func (w Writer) CreateOrganisation(ctx context.Context, o firemode.Organisation) error {
	_, err := w.sql.Write(ctx, OrganisationTaken, InsertInto("organisations", OrganisationColumns),
		OrganisationValues(o)...)
	return err
}
