package e2e

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"firemode"
	"firemode/client"
)

// server is the program serving as a process of its own.
type server struct {
	url string
}

// command runs a subcommand of the program to its end, with input as its standard input, and
// returns what it prints.
func command(t *testing.T, input string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, args...)
	c.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("firemode %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// start runs `firemode serve` (or demo) on a free port until the test ends; then it must stop in
// good order.
func start(t *testing.T, subcommand string, storage []string) server {
	t.Helper()
	c := exec.Command(
		program,
		append([]string{subcommand, "--addr", "127.0.0.1:0", "--log-level", "warn"}, storage...)...)
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", log)
		}
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			go func() {
				for lines.Scan() { // nothing may fill the pipe
				}
			}()
			return server{url}
		}
	}
	t.Fatalf("the server ended without listening:\n%s", log)
	return server{}
}

// lockedBuffer is a buffer that a process may write while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

const password = "correct-horse-battery"

// login returns a client of the server at url, logged in as username.
func login(t *testing.T, url, username string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{BaseURL: url})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(t.Context(), username, password); err != nil {
		t.Fatal(err)
	}
	return c
}

// people are the users of one organisation, logged in, and their ids.
type people struct {
	manager, anna, ben, erin *client.Client // a manager, two technicians, an engineer
	annaID, benID, erinID    firemode.UserID
}

// newOrganisation sets an organisation up on empty storage the way an operator does, and starts the
// server.
func newOrganisation(t *testing.T, storage []string) (server, people) {
	t.Helper()
	command(t, "", append([]string{"org", "add", "acme", "Acme Fire Services"}, storage...)...)
	command(
		t,
		password+"\n",
		append([]string{"user", "add", "--org", "acme", "--role", "admin", "admin@acme"}, storage...)...)
	s := start(t, "serve", storage)
	admin := login(t, s.url, "admin@acme")
	add := func(name string, role firemode.Role) (*client.Client, firemode.UserID) {
		u, err := admin.CreateUser(
			t.Context(), client.NewUser{Username: name + "@acme", FullName: name, Role: role, Password: password},
		)
		if err != nil {
			t.Fatal(err)
		}
		return login(t, s.url, name+"@acme"), u.ID
	}
	var p people
	p.manager, _ = add("manager", firemode.RoleManager)
	p.anna, p.annaID = add("anna", firemode.RoleTechnician)
	p.ben, p.benID = add("ben", firemode.RoleTechnician)
	p.erin, p.erinID = add("erin", firemode.RoleEngineer)
	return s, p
}

// must returns v, or ends the test.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
