package loadtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"firemode/client"
)

func TestServer_Sample_ReadsMetrics(t *testing.T) {
	const page = `# HELP go_info x
go_build_info{checksum="",path="firemode",version="v1.2.3"} 1
go_info{version="go1.26.8"} 1
go_sched_gomaxprocs_threads 2
process_cpu_seconds_total 0.81
process_resident_memory_bytes MEMORY
`
	memory := "6.9976064e+07"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(strings.Replace(page, "MEMORY", memory, 1))) //nolint:errcheck // the reader notices
	}))
	t.Cleanup(server.Close)
	api, err := client.New(client.Config{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	var s Server
	if cpu := s.sample(t.Context(), api); cpu != 0.81 {
		t.Errorf("cpu %v", cpu)
	}
	memory = "5e+07" // the peak stays
	s.sample(t.Context(), api)
	if want := (Server{Version: "v1.2.3", Go: "go1.26.8", MaxProcs: 2, PeakMemory: 69976064}); s != want {
		t.Errorf("read %+v, want %+v", s, want)
	}
}
