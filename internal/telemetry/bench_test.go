package telemetry

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// Every request pays for these calls, so none may allocate.
func BenchmarkObserve(b *testing.B) {
	for name, observe := range observers() {
		b.Run(name, func(b *testing.B) {
			m, err := NewMetrics(Config{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					observe(m)
				}
			})
		})
	}
}

func TestObserve_NoAllocations(t *testing.T) {
	for name, observe := range observers() {
		m := newMetrics(t, Config{})
		observe(m) // the first opens the series
		if n := testing.AllocsPerRun(1000, func() { observe(m) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func observers() map[string]func(*Metrics) {
	ctx := context.Background()
	return map[string]func(*Metrics){
		"request":  func(m *Metrics) { m.ObserveRequest(ctx, http.MethodPost, "/v1/classify", 200, 3*time.Millisecond) },
		"synced":   func(m *Metrics) { m.Synced(ctx, "web", 3*time.Millisecond) },
		"bundle":   func(m *Metrics) { m.BundleSent(ctx, "123", 400_000) },
		"conflict": func(m *Metrics) { m.ConflictArose("123") },
		"group":    func(m *Metrics) { m.GroupCommitted("results", 12) },
	}
}
