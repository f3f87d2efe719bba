package assets

import (
	"errors"
	"fmt"
	"strings"

	"firemode"
)

// checkAssetID says in plain words why id cannot be the id of an asset.
func checkAssetID(id string) error {
	switch {
	case id == "":
		return errors.New("the id is missing")
	case !firemode.ValidID(id):
		return fmt.Errorf("the id %q may have only letters A to Z, digits, - and _, at most %d of them", firemode.Clip(id), firemode.MaxIDLength)
	case strings.HasPrefix(id, "system-"), strings.HasPrefix(id, "site-"):
		// In a session those are the items for a system of the building and for the site itself.
		return errors.New("ids that begin with system- and site- are kept for the building's systems and the site")
	}
	return nil
}
