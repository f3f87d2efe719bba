package assets_test

import (
	"testing"

	"firemode/internal/assets"
	"firemode/internal/store/storetest"
)

func TestNew_MissingDependency_IsNamed(t *testing.T) {
	t.Parallel()
	s := storetest.OpenSQLite(t)
	for want, make := range map[string]func() (*assets.Service, error){
		"assets: a store is required":      func() (*assets.Service, error) { return assets.New(nil, assets.Config{}) },
		"assets: Config.NewID is required": func() (*assets.Service, error) { return assets.New(s, assets.Config{}) },
	} {
		if _, err := make(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
