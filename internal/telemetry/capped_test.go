package telemetry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// After 100 000 sessions the scrape and the memory hold the series of 1000.
func TestCapped_HundredThousandSessions_BoundedSeriesAndMemory(t *testing.T) {
	const sessions, limit = 100_000, 1000
	m := newMetrics(t, Config{MaxSessions: limit})
	observe := func(from, to int) {
		for i := from; i < to; i++ {
			id := fmt.Sprintf("session-%06d", i)
			m.ConflictArose(id)
			m.BundleSent(t.Context(), id, int64(i))
		}
	}
	observe(0, 2*limit) // twice the cap: maps have grown to what they need
	full := heap()
	observe(2*limit, sessions)
	if after := heap(); after > full+full/10 {
		t.Errorf("the heap grew from %d to %d bytes though the number of series did not", full, after)
	}
	for _, name := range []string{"crdt_conflicts_total", "offline_bundle_bytes_count", "offline_bundle_bytes_sum"} {
		lines := scrape(t, m, name, "session_id")
		if len(lines) != limit {
			t.Errorf("%d series of %s, want %d", len(lines), name, limit)
		}
		for _, line := range lines {
			if !strings.Contains(line, `"session-099`) {
				t.Fatalf("kept %s, which is not of the last %d", line, limit)
			}
		}
	}
	runtime.KeepAlive(m)
}

// Concurrent use keeps the most recent series, and no more than the cap.
func TestCapped_ConcurrentUse_MostRecentKept(t *testing.T) {
	const limit, writers, each = 50, 8, 2000
	m := newMetrics(t, Config{MaxSessions: limit})
	var all sync.WaitGroup
	for g := range writers {
		all.Go(func() {
			for i := range each {
				id := strconv.Itoa(g*each + i)
				m.ConflictArose(id)
				m.BundleSent(t.Context(), id, 1)
				if i%500 == 0 {
					scrape(t, m, "crdt_conflicts_total", "session_id")
				}
			}
		})
	}
	all.Wait()
	for _, name := range []string{"crdt_conflicts_total", "offline_bundle_bytes_count"} {
		if got := len(scrape(t, m, name, "session_id")); got != limit {
			t.Errorf("%d series of %s, want %d", got, name, limit)
		}
	}
}

// scrape returns the lines of a scrape that are a series of the metric with the label.
func scrape(t *testing.T, m *Metrics, name, label string) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, name+"{") && strings.Contains(line, label+`="`) {
			lines = append(lines, line)
		}
	}
	return lines
}

// heap returns the bytes in use after a garbage collection.
func heap() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
