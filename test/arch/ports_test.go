package arch

import (
	"go/types"
	"strings"
	"testing"

	"firemode/internal/store"
)

// TestAs_EveryPortTaken_IsOffered holds consumers to the ports that the engines are checked to offer.
func TestAs_EveryPortTaken_IsOffered(t *testing.T) {
	offered := map[string]bool{}
	for _, p := range store.Ports() {
		offered[p.Name] = true
	}
	taken := map[string]bool{}
	for _, p := range loaded(t) {
		for id, instance := range p.TypesInfo.Instances {
			f, ok := p.TypesInfo.Uses[id].(*types.Func)
			if !ok || f.FullName() != "firemode/internal/store.As" {
				continue
			}
			port := instance.TypeArgs.At(0).String()
			name := strings.TrimPrefix(port, "firemode/internal/")
			if !offered[name] {
				t.Errorf("%s: store.As takes %s, which is not one of store.Ports: no engine is known to offer it",
					p.Fset.Position(id.Pos()), port)
			}
			taken[name] = true
		}
	}
	for name := range offered {
		if !taken[name] {
			t.Errorf("nobody takes the port %s: remove it", name)
		}
	}
}
