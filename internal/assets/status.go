package assets

import (
	"fmt"

	"firemode"
)

// statuses are the statuses of an asset by the ways in which registers write them (see words).
var statuses = map[string]string{
	"in service": firemode.AssetInService, "in use": firemode.AssetInService, "active": firemode.AssetInService, "operational": firemode.AssetInService,
	"installed": firemode.AssetInService, "current": firemode.AssetInService, "live": firemode.AssetInService, "ok": firemode.AssetInService,
	"out of service": firemode.AssetOutOfService, "not in service": firemode.AssetOutOfService, "oos": firemode.AssetOutOfService,
	"o s": firemode.AssetOutOfService, "out of order": firemode.AssetOutOfService, "isolated": firemode.AssetOutOfService, "offline": firemode.AssetOutOfService,
	"inactive": firemode.AssetOutOfService, "not operational": firemode.AssetOutOfService,
	"decommissioned": firemode.AssetDecommissioned, "removed": firemode.AssetDecommissioned, "retired": firemode.AssetDecommissioned,
	"disposed": firemode.AssetDecommissioned, "scrapped": firemode.AssetDecommissioned, "obsolete": firemode.AssetDecommissioned,
}

// status reads the status of an asset as registers write it.
func status(s string) (string, error) {
	if known, ok := statuses[words(s)]; ok {
		return known, nil
	}
	return "", fmt.Errorf("%q is not a status; use in service, out of service or decommissioned", line(s))
}
