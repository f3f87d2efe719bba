package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"firemode/internal/client"
)

// Server is what the server says about itself at /metrics; empty where it does not.
type Server struct {
	Version    string  `json:"version"`
	Go         string  `json:"go"`
	MaxProcs   int     `json:"gomaxprocs"`
	PeakMemory int64   `json:"peak_resident_bytes"` // the most of all samples, which are some seconds apart
	CPU        float64 `json:"cpu_s"`               // used during the run
}

// Machine is where the generator ran, and what it took of it.
type Machine struct {
	Version    string  `json:"version"` // of the generator
	Go         string  `json:"go"`
	System     string  `json:"system"`
	CPU        string  `json:"cpu"` // model, "" when not known
	CPUs       int     `json:"cpus"`
	MaxProcs   int     `json:"gomaxprocs"`
	LoadBefore string  `json:"load_before"` // averages over 1, 5, 15 minutes
	LoadAfter  string  `json:"load_after"`
	Used       float64 `json:"cpu_s"` // of the generator itself
}

func newMachine() Machine {
	m := Machine{
		Version: "(unknown)", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPU: cpuModel(), CPUs: runtime.NumCPU(),
		MaxProcs: runtime.GOMAXPROCS(0), LoadBefore: loadAverage(), Used: -cpuSeconds(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		m.Version = info.Main.Version
	}
	return m
}

// finish adds what is known at the end.
func (m *Machine) finish() {
	m.LoadAfter = loadAverage()
	m.Used += cpuSeconds()
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return ""
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return ""
	}
	return strings.Join(fields[:3], " ")
}

// cpuSeconds is the processor time that this process has used.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// sample reads the server's metrics once. It returns the processor time that the server has used so far, 0 when it does not say.
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

// label is the value of one label of a sample.
func label(labels, name string) string {
	_, after, _ := strings.Cut(","+labels, ","+name+`="`)
	v, _, _ := strings.Cut(after, `"`)
	return v
}
