package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"firemode/test/binary"
)

// program is the path of the executable under test.
var program string

// full is set to run everything that the design asks for, instead of a short smoke run.
var full = os.Getenv("FIREMODE_CHAOS") == "full"

// seed is the seed of all random numbers.
var seed = seedOf(os.Getenv("FIREMODE_CHAOS_SEED"))

func seedOf(given string) uint64 {
	if n, err := strconv.ParseUint(given, 10, 64); err == nil {
		return n
	}
	return uint64(time.Now().UnixNano())
}

// chance returns the random numbers for one purpose. They depend on the seed and the purpose alone.
func chance(purpose string) *rand.Rand {
	var key [32]byte
	copy(key[:], fmt.Sprintf("%d %s", seed, purpose))
	return rand.New(rand.NewChaCha8(key))
}

// times returns n, or few in a smoke run.
func times(n, few int) int {
	if full {
		return n
	}
	return few
}

// skipUnlessFull skips a test in a smoke run.
func skipUnlessFull(t *testing.T) {
	t.Helper()
	if !full {
		t.Skip("only in make chaos: it takes too long for every run")
	}
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "firemode-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if program, err = binary.Path(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go supervise()
	say("seed %d; FIREMODE_CHAOS_SEED=%d replays it", seed, seed)
	code := m.Run()
	done.print()
	return code
}

// starts takes processes to start on a thread that lives as long as this program: the kernel kills
// them when the thread ends.
var starts = make(chan startRequest)

type startRequest struct {
	cmd *exec.Cmd
	err chan error
}

func supervise() {
	runtime.LockOSThread()
	for r := range starts {
		r.err <- r.cmd.Start()
	}
}

// spawn starts a process that does not outlive this one.
func spawn(cmd *exec.Cmd) error {
	r := startRequest{cmd, make(chan error)}
	starts <- r
	return <-r.err
}

var begin = time.Now()

// say prints a progress line in a full run.
func say(format string, args ...any) {
	if full {
		fmt.Printf("%6.1fs  %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
	}
}

// account is what was done, to be shown at the end.
type account struct {
	mu   sync.Mutex
	rows [][2]string
}

var done account

// finish notes what a phase did; without it the phase has failed or was skipped.
func finish(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Log(text)
	if t.Failed() {
		text = "FAILED: " + text
	}
	say("%s: %s", t.Name(), text)
	done.mu.Lock()
	defer done.mu.Unlock()
	done.rows = append(done.rows, [2]string{t.Name(), text})
}

func (a *account) print() {
	if !full {
		return
	}
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range a.rows {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	w.Flush()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// folder returns a new folder that other users can pass through, removed at the end of the test.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "firemode-chaos-")
	check(t, err)
	check(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	return dir
}

// median of a list that is not empty.
func median(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}
