package httpkit

import (
	"testing"

	"firemode"
)

func TestEveryCodeHasAnAnswer(t *testing.T) {
	table := answers()
	for code := firemode.CodeInternal; code <= firemode.CodeUnavailable; code++ {
		if table[code].status == 0 {
			t.Errorf("code %d is not in the table", code)
		}
	}
}
