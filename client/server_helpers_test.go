package client_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"firemode/test/binary"
)

// serverURL starts the server of the examples at the first call and returns its address.
var serverURL = sync.OnceValue(func() string {
	url, err := examples.start()
	check(err)
	return url
})

var examples server

const password = "correct-horse-battery"

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run also stops the server after an example that panics.
func run(m *testing.M) (code int) {
	defer func() {
		if err := examples.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "the server of the examples:", err)
			code = 1
		}
	}()
	return m.Run()
}

// server is FireMode as a process of its own, with one organisation.
type server struct {
	dir     string
	program string
	process *exec.Cmd
}

// start fills an empty data folder and serves it on a free port.
func (s *server) start() (url string, err error) {
	if s.dir, err = os.MkdirTemp("", "firemode-client-"); err != nil {
		return "", err
	}
	if s.program, err = binary.Path(s.dir); err != nil {
		return "", err
	}
	if err := s.run("", "org", "add", "acme", "Acme Fire Services"); err != nil {
		return "", err
	}
	for name, role := range map[string]string{"manager": "manager", "anna": "technician", "ben": "technician"} {
		if err := s.run(password+"\n", "user", "add", "--org", "acme", "--role", role, name+"@acme"); err != nil {
			return "", err
		}
	}
	return s.serve()
}

// command returns a subcommand of the program on the data folder.
func (s *server) command(args ...string) *exec.Cmd {
	return exec.Command(s.program, append(args, "--data", filepath.Join(s.dir, "data"))...)
}

// run runs a subcommand to its end.
func (s *server) run(input string, args ...string) error {
	c := s.command(args...)
	c.Stdin = strings.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("firemode %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// serve starts the server and returns its address once it listens.
func (s *server) serve() (url string, err error) {
	c := s.command("serve", "--addr", "127.0.0.1:0", "--log-level", "warn")
	c.Stderr = os.Stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	s.process = c
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			go io.Copy(io.Discard, stdout) // a full pipe would block the server
			return url, nil
		}
	}
	return "", errors.New("the server ended before it was listening")
}

// stop stops the server, if it runs, and removes its data.
func (s *server) stop() (err error) {
	if s.process != nil {
		err = errors.Join(s.process.Process.Signal(os.Interrupt), s.process.Wait())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// check panics if err is not nil: an example has no testing.T.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
