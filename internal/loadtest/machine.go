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

	"firemode/client"
)

// Machine is the machine of the generator and its CPU use during the run.
type Machine struct {
	Version    string  `json:"version"` // of the generator
	Go         string  `json:"go"`
	System     string  `json:"system"`
	CPU        string  `json:"cpu"` // model, "" if not known
	CPUs       int     `json:"cpus"`
	MaxProcs   int     `json:"gomaxprocs"`
	LoadBefore string  `json:"load_before"` // averages over 1, 5, 15 minutes
	LoadAfter  string  `json:"load_after"`
	Used       float64 `json:"generator_cpu_s"`
	Busy       float64 `json:"busy_cpu_s"` // of all processes of the machine, 0 if not known
}

func newMachine() Machine {
	m := Machine{
		Version: "(unknown)", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPU: cpuModel(),
		CPUs: runtime.NumCPU(), MaxProcs: runtime.GOMAXPROCS(0), LoadBefore: loadAverage(), Used: -cpuSeconds(),
		Busy: -busySeconds(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		m.Version = info.Main.Version
	}
	return m
}

// finish adds the measurements at the end of the run.
func (m *Machine) finish() {
	m.LoadAfter = loadAverage()
	m.Used += cpuSeconds()
	m.Busy += busySeconds()
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

// cpuSeconds returns the CPU time that this process has used.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// ticksPerSecond is USER_HZ, the unit of the CPU times in /proc/stat.
const ticksPerSecond = 100

// busySeconds returns the CPU time that the machine has spent on all work, steal time included.
func busySeconds() float64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	total := 0.0
	for i, field := range strings.Fields(first) {
		// The fields: "cpu", user, nice, system, idle, iowait, irq, softirq, steal, and guest times
		// that are part of user.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, _ := strconv.ParseFloat(field, 64)
		total += n
	}
	return total / ticksPerSecond
}

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
