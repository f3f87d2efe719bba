package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkClassify is the hottest endpoint through the whole frame, with one caller and with many:
// the latter share commits.
func BenchmarkClassify(b *testing.B) {
	w := newWorld(b)
	q := request{
		as: "technician", method: "POST", path: "/v1/classify",
		body: `{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low"}`,
	}
	once := func() {
		rec := httptest.NewRecorder()
		if w.ServeHTTP(rec, q.build(w)); rec.Code != http.StatusOK {
			b.Error(rec.Code, rec.Body)
		}
	}
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			once()
		}
	})
	b.Run("together", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(256)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				once()
			}
		})
	})
}

// BenchmarkFrame is the least a request costs.
func BenchmarkFrame(b *testing.B) {
	w := newWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		w.do(request{method: "GET", path: "/health/live"})
	}
}
