package seed

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSpanReading_InsideLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(0.01, 1e4).Draw(t, "low")
		s := span{low, low * rapid.Float64Range(1.05, 10).Draw(t, "ratio")}
		if v := float64(s.reading(rapid.IntRange(0, 1000).Draw(t, "position"))); v <= s.low || v >= s.high {
			t.Errorf("%v is not inside %v", v, s)
		}
	})
}
