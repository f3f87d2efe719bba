// Package ratio measures two things side by side, in turns, and holds how many times the one costs
// of the other to a limit and to what it was before. A machine that is shared, slow or fast changes
// both; a ratio of two things that ran at the same time it changes little.
//
// The tests that use it judge the code by time, and so they run when somebody asks: `make bench`.
// FIREMODE_BENCH=judge has the ratios judged, FIREMODE_BENCH=write makes them the new baseline.
package ratio

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// Setting is the environment variable that has the ratios measured.
const Setting = "FIREMODE_BENCH"

// noise is how much worse than the baseline a ratio may be on a bad day: the largest difference
// seen between runs of the same code on a machine that does nothing else.
const noise = 1.25

// Pair is two things to measure. Both return how long they took, or what one of them costs: the
// unit is theirs, as long as it is the same.
type Pair struct {
	Name  string
	Limit float64 // most that Dear may cost, in Cheaps
	Dear  func() time.Duration
	Cheap func() time.Duration
	// Rounds is how often both are measured, 15 unless told.
	Rounds int
}

// Wanted skips a test that measures unless somebody asked for it.
func Wanted(t testing.TB) {
	t.Helper()
	if os.Getenv(Setting) == "" {
		t.Skipf("it measures time, which `make bench` asks for: %s is not set", Setting)
	}
}

// Judge measures pairs and fails t for each that is over its limit, or over its baseline by more
// than noise.
func Judge(t *testing.T, pairs ...Pair) {
	t.Helper()
	Wanted(t)
	known := baseline(t)
	for _, p := range pairs {
		got, dear, cheap := p.measure()
		line := fmt.Sprintf("%-45s %6.2f  (limit %.2f, baseline %s; %v against %v)", p.Name, got, p.Limit,
			shown(known, p.Name), dear, cheap)
		t.Log(line)
		switch before, ok := known[p.Name]; {
		case got > p.Limit:
			t.Errorf("%s: %.2f is over the limit of %.2f", p.Name, got, p.Limit)
		case ok && got > max(before, 1)*noise && os.Getenv(Setting) != "write":
			t.Errorf("%s: %.2f is a regression: it was %.2f", p.Name, got, before)
		}
		known[p.Name] = float64(int(got*100+0.5)) / 100
	}
	if os.Getenv(Setting) == "write" && !t.Failed() {
		keep(t, known)
	}
}

// measure returns the median of the ratios of all rounds, and the medians of what was measured.
func (p Pair) measure() (ratio float64, dear, cheap time.Duration) {
	rounds := p.Rounds
	if rounds == 0 {
		rounds = 15
	}
	p.Dear()
	p.Cheap()
	var ratios []float64
	var dears, cheaps []time.Duration
	for i := range rounds {
		var d, c time.Duration
		if i%2 == 0 {
			d, c = p.Dear(), p.Cheap()
		} else {
			c, d = p.Cheap(), p.Dear()
		}
		ratios = append(ratios, float64(d)/float64(c))
		dears, cheaps = append(dears, d), append(cheaps, c)
	}
	return median(ratios), median(dears), median(cheaps)
}

func median[T float64 | time.Duration](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// Timed returns how long n runs of work took, as one run.
func Timed(n int, work func()) time.Duration {
	start := time.Now()
	for range n {
		work()
	}
	return time.Since(start) / time.Duration(n)
}

// file is where the baseline is kept: beside this package's source, whoever uses it.
func file() string {
	_, source, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(source), "baseline.json")
}

func baseline(t *testing.T) map[string]float64 {
	t.Helper()
	known := map[string]float64{}
	text, err := os.ReadFile(file())
	if os.IsNotExist(err) {
		return known
	}
	if err == nil {
		err = json.Unmarshal(text, &known)
	}
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func shown(known map[string]float64, name string) string {
	if v, ok := known[name]; ok {
		return fmt.Sprintf("%.2f", v)
	}
	return "none"
}

func keep(t *testing.T, known map[string]float64) {
	t.Helper()
	text := []byte("{\n")
	for i, name := range slices.Sorted(maps.Keys(known)) {
		if i > 0 {
			text = append(text, ",\n"...)
		}
		text = fmt.Appendf(text, "  %q: %.2f", name, known[name])
	}
	if err := os.WriteFile(file(), append(text, "\n}\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
}
