package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"

	"firemode/client"
)

// Server is what the metrics of the server say about it. It is zero if the server serves no metrics
// at /metrics.
type Server struct {
	Version    string  `json:"version"`
	Go         string  `json:"go"`
	MaxProcs   int     `json:"gomaxprocs"`
	PeakMemory int64   `json:"peak_resident_bytes"` // the maximum of the samples
	CPU        float64 `json:"cpu_s"`               // used during the run
}

// sample reads the metrics of the server once. It returns the CPU time that the server has used so
// far, 0 if not known.
func (s *Server) sample(ctx context.Context, api *client.Client) (cpu float64) {
	var text bytes.Buffer
	if err := api.Metrics(ctx, &text); err != nil {
		return 0
	}
	for lines := bufio.NewScanner(&text); lines.Scan(); {
		name, number, _ := strings.Cut(lines.Text(), " ")
		name, labels, _ := strings.Cut(name, "{")
		n, _ := strconv.ParseFloat(number, 64)
		switch name {
		case "go_build_info":
			s.Version = label(labels, "version")
		case "go_info":
			s.Go = label(labels, "version")
		case "go_sched_gomaxprocs_threads":
			s.MaxProcs = int(n)
		case "process_resident_memory_bytes":
			s.PeakMemory = max(s.PeakMemory, int64(n))
		case "process_cpu_seconds_total":
			cpu = n
		}
	}
	return cpu
}

// label returns the value of one label of a sample.
func label(labels, name string) string {
	_, after, _ := strings.Cut(","+labels, ","+name+`="`)
	v, _, _ := strings.Cut(after, `"`)
	return v
}
