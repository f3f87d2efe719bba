package storetest

import (
	"reflect"
	"testing"
)

// A field that is added to an entity must be in the world, or nobody would notice that a store
// forgets it.
func TestWorldIsFull(t *testing.T) {
	w := newWorld("o")
	w.audit = w.audit.Seal(1, []byte{1})
	w.token.Revoked = true // no store creates a token that is
	w.rule.DeactivatedAt = day(1)
	v := reflect.ValueOf(w)
	for i := range v.NumField() {
		if entity := v.Field(i); entity.Kind() == reflect.Struct {
			for j := range entity.NumField() {
				if entity.Field(j).IsZero() {
					t.Errorf("%s.%s is zero", v.Type().Field(i).Name, entity.Type().Field(j).Name)
				}
			}
		}
	}
}
