package storetest

import (
	"strings"
	"testing"

	"firemode/internal/store"
)

func portTests() []test {
	return []test{
		{"a View offers the reading ports alone", func(t *testing.T, s store.Database) {
			equal(t, s.View(t.Context(), func(tx store.ReadTx) error {
				for _, p := range store.Ports() {
					if p.OfferedBy(tx) == p.Writing {
						t.Errorf("%s is offered: %t, want %t", p.Name, p.Writing, !p.Writing)
					}
				}
				return nil
			}), nil)
		}},
		{"an Update offers every port", func(t *testing.T, s store.Database) {
			equal(t, s.Update(t.Context(), func(tx store.Tx) error {
				for _, p := range store.Ports() {
					if !p.OfferedBy(tx) {
						t.Errorf("%s is not offered", p.Name)
					}
				}
				return nil
			}), nil)
		}},
		{"exact reading offers the reading ports alone", func(t *testing.T, s store.Database) {
			exactly := func(tx store.ReadTx) {
				for _, p := range store.Ports() {
					if p.OfferedBy(store.As[store.ExactReader](tx).Exactly()) == p.Writing {
						t.Errorf("%s is offered: %t, want %t", p.Name, p.Writing, !p.Writing)
					}
				}
			}
			equal(t, s.View(t.Context(), func(tx store.ReadTx) error { exactly(tx); return nil }), nil)
			equal(t, s.Update(t.Context(), func(tx store.Tx) error { exactly(tx); return nil }), nil)
		}},
		{"As of a writing port in a View panics and names the port", func(t *testing.T, s store.Database) {
			equal(t, s.View(t.Context(), func(tx store.ReadTx) error {
				defer func() {
					if said, _ := recover().(string); !strings.Contains(said, "does not offer store.SessionWriter") {
						t.Errorf("the panic says %q", said)
					}
				}()
				store.As[store.SessionWriter](tx)
				return nil
			}), nil)
		}},
	}
}
