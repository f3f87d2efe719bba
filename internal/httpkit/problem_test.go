package httpkit

import (
	"testing"

	"firemode"
)

func TestOutcomes_HaveEveryCode(t *testing.T) {
	table := outcomes()
	for code := firemode.CodeInternal; code <= firemode.CodeUnavailable; code++ {
		if table[code].status == 0 {
			t.Errorf("code %d is not in the table", code)
		}
	}
}
