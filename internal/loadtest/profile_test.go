package loadtest

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEndpointAt_Any17Requests_TheMix(t *testing.T) {
	for from := range int64(40) {
		var got [endpoints]int
		for n := range int64(17) {
			got[endpointAt(from+n)]++
		}
		if want := [endpoints]int{Classify: 10, Results: 5, Bundle: 2}; got != want {
			t.Errorf("requests %d to %d: %v, want %v", from, from+16, got, want)
		}
	}
}

func TestOffset_Rates_Exact(t *testing.T) {
	for _, c := range []struct {
		n    int64
		rate float64
		want time.Duration
	}{
		{0, 50, 0},
		{1, 50, 20 * time.Millisecond},
		{499, 50, 9980 * time.Millisecond},
		{3, 0.5, 6 * time.Second},
		{10_000_000, 3000, 3333*time.Second + 333333333*time.Nanosecond},
	} {
		if got := offset(c.n, c.rate); got != c.want {
			t.Errorf("number %d of %v per second is due at %v, want %v", c.n, c.rate, got, c.want)
		}
	}
}

// In any stretch of the open model the number of requests is the rate times its length, to within
// one.
func TestOffset_LongRun_KeepsTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.1, 50_000).Draw(t, "rate")
		n := rapid.Int64Range(0, 1_000_000).Draw(t, "n")
		length := rapid.Int64Range(1, 1_000_000).Draw(t, "length")
		took := offset(n+length, rate) - offset(n, rate)
		if got := took.Seconds() * rate; got < float64(length)-1 || got > float64(length)+1 {
			t.Fatalf("%d requests take %v, which is room for %v", length, took, got)
		}
	})
}

func TestThink_Draws_WithinBounds(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	var total time.Duration
	for range 10_000 {
		d := think(chance)
		if d < 500*time.Millisecond || d > 1500*time.Millisecond {
			t.Fatalf("thinks for %v", d)
		}
		total += d
	}
	if mean := total / 10_000; mean < 990*time.Millisecond || mean > 1010*time.Millisecond {
		t.Errorf("thinks for %v on average, want 1s", mean)
	}
}
