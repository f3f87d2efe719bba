// Package race decides how many random histories tests run. With the race detector a history takes
// about ten times as long, so the long set runs without it and a short set with it.
package race

import (
	"fmt"
	"os"
	"strconv"
)

// Histories returns how many random histories a test runs: long without the race detector, short
// with it. Two environment variables change that: FIREMODE_HISTORIES, set to long or short,
// replaces the choice, and FIREMODE_TIMES multiplies the number. Histories panics on any other
// value of them.
func Histories(long, short int) int {
	n := long
	if isShort() {
		n = short
	}
	return n * times()
}

func isShort() bool {
	switch set := os.Getenv("FIREMODE_HISTORIES"); set {
	case "":
		return Enabled
	case "short":
		return true
	case "long":
		return false
	default:
		panic(fmt.Sprintf("FIREMODE_HISTORIES is %q; set it to short or long", set))
	}
}

func times() int {
	set := os.Getenv("FIREMODE_TIMES")
	if set == "" {
		return 1
	}
	n, err := strconv.Atoi(set)
	if err != nil || n < 1 {
		panic(fmt.Sprintf("FIREMODE_TIMES is %q; set it to a whole number from 1", set))
	}
	return n
}
