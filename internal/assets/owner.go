package assets

import (
	"context"
	"fmt"
	"slices"

	"firemode"
	"firemode/internal/store"
)

const maxOwners = 100

// checkOwners refuses whoever is not a user of role owner in org, or is there twice.
func checkOwners(ctx context.Context, tx store.ReadTx, org firemode.OrgID, ids []firemode.UserID) error {
	if len(ids) == 0 {
		return nil
	}
	if len(ids) > maxOwners {
		return firemode.InvalidField("owner_ids", "at most %d owners", maxOwners)
	}
	users, err := store.As[store.UserReader](tx).UsersByID(ctx, org, ids)
	if err != nil {
		return err
	}
	owners := map[firemode.UserID]bool{}
	for _, u := range users {
		owners[u.ID] = u.Role == firemode.RoleOwner
	}
	var wrong []firemode.Detail
	for i, id := range ids {
		field := fmt.Sprintf("owner_ids[%d]", i)
		switch {
		case !owners[id]:
			wrong = append(wrong, firemode.Detail{Field: field, Reason: "is not a user of role owner in this organisation"})
		case slices.Contains(ids[:i], id):
			wrong = append(wrong, firemode.Detail{Field: field, Reason: "is there twice"})
		}
	}
	if wrong != nil {
		return firemode.Invalid("owner_ids must be owners of the same organisation", wrong...)
	}
	return nil
}
