package assets

import (
	"testing"

	"firemode"
)

func TestStatus_Synonyms_AreRead(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"in service":     firemode.AssetInService,
		" IN  SERVICE ":  firemode.AssetInService,
		"In-Service":     firemode.AssetInService,
		"active":         firemode.AssetInService,
		"Out of service": firemode.AssetOutOfService,
		"O/S":            firemode.AssetOutOfService,
		"decommissioned": firemode.AssetDecommissioned,
		"Removed":        firemode.AssetDecommissioned,
	} {
		if got, err := status(written); err != nil || got != want {
			t.Errorf("status(%q) = %q, %v, want %q", written, got, err, want)
		}
	}
	for _, written := range []string{"perhaps", "in", "-"} {
		if got, err := status(written); err == nil {
			t.Errorf("status(%q) = %q, want an error", written, got)
		}
	}
}
