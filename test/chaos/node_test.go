package chaos

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// node is the program serving on an address that stays the same from start to start.
type node struct {
	addr    string
	storage []string // flags
	within  []string // a command to run it by, e.g. ip netns exec NAME
	cmd     *exec.Cmd
	ended   chan error // of cmd; nil before the first start
	log     tail       // of all starts
}

func newNode(t *testing.T, storage ...string) *node {
	t.Helper()
	n := &node{addr: freeAddress(t), storage: storage}
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			t.Logf("end of the server log:\n%s", n.log.String())
		}
	})
	return n
}

// freeAddress is below the ports that the kernel gives to clients, so that none of ours takes it
// while the server is down.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 15000+rand.N(15000)))
		if err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port found")
	return ""
}

func (n *node) url() string { return "http://" + n.addr }

const patience = 30 * time.Second

// start returns when the server listens, or with the reason why it does not.
func (n *node) start() error {
	args := append(append([]string{}, n.within...), program, "serve", "--addr", n.addr, "--log-level", "warn")
	args = append(args, n.storage...)
	n.cmd = exec.Command(args[0], args[1:]...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.cmd.Stderr = &n.log
	stdout, err := n.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := spawn(n.cmd); err != nil {
		return err
	}
	listening, ended, cmd := make(chan struct{}), make(chan error, 1), n.cmd
	n.ended = ended
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "listening on ") {
				close(listening)
			}
		}
		ended <- cmd.Wait()
		close(ended)
	}()
	select {
	case <-listening:
		return nil
	case err := <-ended:
		return fmt.Errorf("the server ended without listening: %w\n%s", err, n.log.String())
	case <-time.After(patience):
		return errors.New("the server does not listen")
	}
}

// kill ends the server as kill -9 does, and returns when it is gone.
func (n *node) kill() error {
	if n.ended == nil {
		return nil
	}
	n.cmd.Process.Kill() // it may have ended by itself
	<-n.ended
	return nil
}

// stop asks the server to stop in good order.
func (n *node) stop(t *testing.T) {
	t.Helper()
	check(t, n.cmd.Process.Signal(os.Interrupt))
	if err := <-n.ended; err != nil {
		t.Errorf("the server stopped with %v", err)
	}
}

// command runs a subcommand to its end.
func (n *node) command(t *testing.T, input string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, append(args, n.storage...)...)
	c.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("firemode %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

const tailSize = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if extra := len(t.end) - tailSize; extra > 0 {
		t.end = append(t.end[:0], t.end[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}
