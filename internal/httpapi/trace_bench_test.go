package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"firemode/internal/store/sqlite"
	"firemode/internal/telemetry/otlptest"
)

// BenchmarkTracing is what traces cost: the same requests with none, with tracing on and nothing sampled, and with 10 % and 100 % sampled, in
// turns of a thousand, so that whatever else the machine does falls on all of them alike. What is reported is the time of each by that without
// traces: wall-x of the clock, cpu-x of the processor, a collector in this process included.
func BenchmarkTracing(b *testing.B) {
	shares := []string{"off", "0", "0.1", "1"}
	worlds := map[string]*world{}
	for _, share := range shares {
		worlds[share] = worldForTracing(b, share)
	}
	var n atomic.Int64
	for name, q := range map[string]func() request{
		"results": func() request {
			i := n.Add(1)
			q := as("technician", "POST", "/v1/tests/sessions/s/results", batch{client: fmt.Sprint("c", i%64), changes: []string{set(fmt.Sprint("/notes/", i%64), fmt.Sprint(i))}}.String())
			q.header = map[string]string{"Idempotency-Key": fmt.Sprint(i)}
			return q
		},
		"classify": func() request {
			return as("technician", "POST", "/v1/classify", `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`)
		},
	} {
		b.Run(name, func(b *testing.B) {
			wall, cpu := map[string]time.Duration{}, map[string]int64{}
			for b.Loop() {
				for _, share := range shares {
					began, before := time.Now(), processorTime(b)
					thousand(b, worlds[share], q)
					wall[share] += time.Since(began)
					cpu[share] += processorTime(b) - before
				}
			}
			for _, share := range shares[1:] {
				b.ReportMetric(float64(wall[share])/float64(wall["off"]), "wall-x-"+share)
				b.ReportMetric(float64(cpu[share])/float64(cpu["off"]), "cpu-x-"+share)
			}
		})
	}
}

// thousand requests by 64 callers.
func thousand(b *testing.B, w *world, q func() request) {
	b.Helper()
	var callers sync.WaitGroup
	var left atomic.Int64
	left.Store(1000)
	for range 64 {
		callers.Go(func() {
			for left.Add(-1) >= 0 {
				rec := httptest.NewRecorder()
				if w.ServeHTTP(rec, q().build(w)); rec.Code != http.StatusOK {
					b.Error(rec.Code, rec.Body)
				}
			}
		})
	}
	callers.Wait()
}

// processorTime is that of this process so far, in nanoseconds.
func processorTime(b *testing.B) int64 {
	var used syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return used.Utime.Nano() + used.Stime.Nano()
}

// worldForTracing has a session that is open to everybody.
func worldForTracing(b *testing.B, share string) *world {
	b.Helper()
	collector := otlptest.New(b)
	collector.Forget()
	env := []string{"OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=" + share, "OTEL_BSP_SCHEDULE_DELAY=50"}
	if share == "off" {
		env = []string{"OTEL_SDK_DISABLED=true"}
	}
	traces := tracing(b, collector, env...)
	s, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "firemode.db"), Traces: traces})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()) })
	must(b, s.Migrate(b.Context()))
	w := newWorldOn(b, s, tracedOn(b, s, traces))
	w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings", `{"building_id":"b","site_name":"B","site_address":"S"}`))
	w.get(http.StatusCreated, as("manager", "POST", "/v1/tests/sessions", `{"session_id":"s","building_id":"b","session_name":"S","frequency":"yearly"}`))
	return w
}
