package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"firemode/internal/store/sqlite"
	"firemode/internal/telemetry/otlptest"
)

// BenchmarkTracing is what traces cost: the same requests with none, with tracing on and nothing sampled, and with 10 % and 100 % sampled. The
// spans go to a collector in this process, whose work is counted too. cpu-ns/op is the processor time of all of it, which tells more than
// the wall where others use the machine.
func BenchmarkTracing(b *testing.B) {
	for _, share := range []string{"off", "0", "0.1", "1"} {
		w, session := worldForTracing(b, share)
		var n atomic.Int64
		results := func() request {
			i := n.Add(1)
			q := as("technician", "POST", "/v1/tests/sessions/"+session+"/results", batch{client: fmt.Sprint("c", i%64), changes: []string{set(fmt.Sprint("/notes/", i%64), fmt.Sprint(i))}}.String())
			q.header = map[string]string{"Idempotency-Key": fmt.Sprint(i)}
			return q
		}
		classify := func() request {
			return as("technician", "POST", "/v1/classify", `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`)
		}
		for name, q := range map[string]func() request{"results": results, "classify": classify} {
			b.Run(name+"/sampled="+share, func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(32)
				before := processorTime(b)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						rec := httptest.NewRecorder()
						if w.ServeHTTP(rec, q().build(w)); rec.Code != http.StatusOK {
							b.Error(rec.Code, rec.Body)
						}
					}
				})
				b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// processorTime is that of this process so far, in nanoseconds.
func processorTime(b *testing.B) int64 {
	var used syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return used.Utime.Nano() + used.Stime.Nano()
}

// worldForTracing has a session that is open to everybody.
func worldForTracing(b *testing.B, share string) (w *world, session string) {
	b.Helper()
	collector := otlptest.New(b)
	collector.Forget()
	env := []string{"OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=" + share, "OTEL_BSP_SCHEDULE_DELAY=5000"}
	if share == "off" {
		env = []string{"OTEL_SDK_DISABLED=true"}
	}
	traces := tracing(b, collector, env...)
	s, err := sqlite.Open(b.Context(), sqlite.Config{Path: filepath.Join(b.TempDir(), "firemode.db"), Traces: traces})
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()) })
	must(b, s.Migrate(b.Context()))
	w = newWorldOn(b, s, func(c *Config) { c.Traces = traces })
	w.get(http.StatusCreated, as("manager", "POST", "/v1/buildings", `{"building_id":"b","site_name":"B","site_address":"S"}`))
	w.get(http.StatusCreated, as("manager", "POST", "/v1/tests/sessions", `{"session_id":"s","building_id":"b","session_name":"S","frequency":"yearly"}`))
	return w, "s"
}
