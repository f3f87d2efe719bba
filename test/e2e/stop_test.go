package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"firemode"
	"firemode/client"
)

// crowd is how many connections are at work when the server is told to stop.
const crowd = 64

// The server receives SIGTERM while many connections post results as fast as they are answered.
// Every request that was sent before the listener was closed is answered as if nothing were; the
// answers say that the connection ends; the process exits in good order; and what was acknowledged
// is in the log when it is started again.
func TestStop_UnderLoad_EveryRequestAnswered(t *testing.T) {
	onEachEngine(t, func(t *testing.T, storage []string) {
		p, address := process(t, storage)
		admin := plainVisit(t, storage, address)
		c := &posters{address: address, token: admin.Tokens().Access}
		var ended sync.WaitGroup
		for i := range crowd {
			ended.Go(func() { c.work(t, i) })
		}
		for c.acked.Load() < 3*crowd {
			time.Sleep(time.Millisecond) // they do not call us
		}
		told := time.Now()
		must(0, p.Process.Signal(syscall.SIGTERM))(t)
		c.awaitRefusal(t)
		ended.Wait()
		if err := p.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		took := time.Since(told)
		if took > 20*time.Second {
			t.Errorf("the stop took %s, more than --stop-timeout", took)
		}
		t.Logf(
			"%d changes acknowledged, %d of them after the signal; stopped in %s", c.acked.Load(), c.late.Load(),
			took.Round(time.Millisecond),
		)
		if c.late.Load() < crowd/2 {
			t.Errorf("only %d answers came after the signal: that is no load", c.late.Load())
		}
		s := start(t, "serve", storage)
		again := login(t, s.url, "jo@acme")
		found := map[string]int{}
		for one, err := range again.History(t.Context(), "s", "/items/found") {
			found[string(must(one, err)(t).Value)]++
		}
		for _, n := range c.numbers {
			if at := found[fmt.Sprintf("%q", n)]; at != 1 {
				t.Errorf("change %s was acknowledged and is %d times in the log", n, at)
			}
		}
		if out := command(t, "", append([]string{"verify"}, storage...)...); !strings.Contains(out, ": 0 differences") {
			t.Error(out)
		}
	})
}

// process runs `firemode serve` until the test ends it.
func process(t *testing.T, storage []string) (p *exec.Cmd, address string) {
	t.Helper()
	command(t, "", append([]string{"org", "add", "acme", "Acme Fire Services"}, storage...)...)
	command(
		t,
		password+"\n",
		append([]string{"user", "add", "--org", "acme", "--role", "admin", "jo@acme"}, storage...)...)
	p = exec.Command(program, append([]string{"serve", "--addr", "127.0.0.1:0", "--log-level", "warn"}, storage...)...)
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log := &lockedBuffer{}
	p.Stderr = log
	stdout := must(p.StdoutPipe())(t)
	must(0, p.Start())(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server's log:\n%s", log)
		}
	})
	line := must(bufio.NewReader(stdout).ReadString('\n'))(t)
	return p, strings.TrimSpace(strings.TrimPrefix(line, "listening on http://"))
}

// plainVisit makes session s.
func plainVisit(t *testing.T, storage []string, address string) *client.Client {
	t.Helper()
	admin := login(t, "http://"+address, "jo@acme")
	must(admin.CreateBuilding(t.Context(), client.NewBuilding{ID: "b", Name: "B", Address: "S"}))(t)
	must(
		admin.CreateSession(
			t.Context(), client.NewSession{ID: "s", Building: "b", Name: "S", Frequency: firemode.Monthly},
		),
	)(t)
	return admin
}

// posters are clients that do not help themselves: each has one connection, and sends nothing twice.
type posters struct {
	address, token string
	acked, late    atomic.Int64
	refused        atomic.Bool // somebody who connected was refused: the listener is closed

	mu      sync.Mutex
	numbers []string // of the acknowledged changes
}

func (c *posters) work(t *testing.T, who int) {
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for i := 0; ; i++ {
		n := fmt.Sprintf("%d-%d", who, i)
		body := fmt.Sprintf(`{"changes": [{"op": "append", "path": "/items/found/remarks%d", "value": %q}]}`, who, n)
		_, err := fmt.Fprintf(
			conn,
			"POST /v1/tests/sessions/s/results HTTP/1.1\r\nHost: x\r\n"+
				"Authorization: Bearer %s\r\nIdempotency-Key: %s\r\n"+
				"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			c.token,
			n,
			len(body),
			body,
		)
		tooLate := c.refused.Load() // it was sent when there was no server any more
		var answer *http.Response
		if err == nil {
			answer, err = http.ReadResponse(answers, nil)
		}
		if err != nil {
			if !tooLate {
				t.Errorf("change %s was sent and not answered: %v", n, err)
			}
			return
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("change %s: %d %s %v", n, answer.StatusCode, text, err)
			return
		}
		c.note(n, answer.Close)
		if answer.Close {
			return
		}
	}
}

func (c *posters) note(n string, last bool) {
	c.acked.Add(1)
	if last {
		c.late.Add(1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.numbers = append(c.numbers, n)
}

// awaitRefusal connects until it is refused.
func (c *posters) awaitRefusal(t *testing.T) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 20*time.Second; {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			c.refused.Store(true)
			return
		}
		conn.Close()
	}
	t.Error("it still takes connections")
}
