package upgrade

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// password is that of every user of the demo.
const password = "firemode-demo"

// patience is how long the program may take to start, and to answer a request.
const patience = time.Minute

// command runs the program to its end, which must be a good one, and returns what it prints.
func command(t *testing.T, args []string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("firemode %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// serve runs firemode serve on a free port until the test ends, when it must stop in good order. It returns its URL.
func serve(t *testing.T, db database) string {
	t.Helper()
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--log-level", "warn"}, db.storage...)
	c := exec.Command(binary, args...)
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
	late := time.AfterFunc(patience, func() { c.Process.Kill() }) //nolint:errcheck // it may be dead
	defer late.Stop()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			go io.Copy(io.Discard, stdout) // nothing may fill the pipe
			return url
		}
	}
	t.Fatalf("the server ended without listening, or took more than %s:\n%s", patience, log)
	return ""
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

// caller is a user who is logged in. It takes answers as they come, byte for byte.
type caller struct {
	t          *testing.T
	url, token string
	http       http.Client
}

// login logs a user of the demo in.
func login(t *testing.T, url, username string) *caller {
	t.Helper()
	c := &caller{t: t, url: url, http: http.Client{Timeout: patience}}
	body, err := json.Marshal(map[string]string{"username": username, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	var tokens struct {
		Access string `json:"access_token"`
	}
	decode(t, c.post("/v1/auth/login", "", string(body)), &tokens)
	c.token = tokens.Access
	return c
}

func (c *caller) get(path string) []byte {
	c.t.Helper()
	return c.do(http.MethodGet, path, "", "")
}

// post sends body under an Idempotency-Key, unless that is "".
func (c *caller) post(path, key, body string) []byte {
	c.t.Helper()
	return c.do(http.MethodPost, path, key, body)
}

// do returns the body of an answer with status 200; any other ends the test.
func (c *caller) do(method, path, key, body string) []byte {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		c.t.Fatalf("%s %s: %s: %s", method, path, answer.Status, got)
	}
	return got
}
