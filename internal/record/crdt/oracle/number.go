package oracle

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"

	"firemode/internal/record/crdt"
)

// rational returns the number that v is, nil when it is none.
func rational(v crdt.Value) *big.Rat {
	if v == "" || !strings.ContainsRune("-0123456789", rune(v[0])) {
		return nil
	}
	r, ok := new(big.Rat).SetString(string(v))
	if !ok {
		return nil
	}
	return r
}

// decimal writes r, which is a decimal fraction, in full: no exponent, no zeros that say nothing.
func decimal(r *big.Rat) string {
	places, _ := r.FloatPrec()
	return r.FloatString(places)
}

// sameValue compares JSON values; numbers at any depth by what they are worth.
func sameValue(v, w crdt.Value) bool {
	return reflect.DeepEqual(decoded(v), decoded(w))
}

func decoded(v crdt.Value) any {
	d := json.NewDecoder(strings.NewReader(string(v)))
	d.UseNumber()
	var x any
	if err := d.Decode(&x); err != nil {
		return err.Error() // not reached: stored values are JSON
	}
	return worth(x)
}

// worth replaces the numbers in x by their value, as a fraction in lowest terms.
func worth(x any) any {
	switch x := x.(type) {
	case json.Number:
		return [2]string{"number", rational(crdt.Value(x)).RatString()}
	case []any:
		for i := range x {
			x[i] = worth(x[i])
		}
	case map[string]any:
		for name := range x {
			x[name] = worth(x[name])
		}
	}
	return x
}
