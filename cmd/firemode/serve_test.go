package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"firemode/internal/app"
	"firemode/internal/store/storetest/pgtest"
)

func TestServe_Stop_RunningRequestFinishes(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	finish := s.begin(t)
	s.stop()
	s.untilStopping(t)
	answer, err := finish(`{"username": "nobody", "password": "nothing at all"}`)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", answer.StatusCode)
	}
	if err := <-s.result; err != nil {
		t.Errorf("run returned %v", err)
	}
}

func TestServe_StopTimeout_ConnectionClosed(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--stop-timeout", "10ms")
	finish := s.begin(t)
	s.stop()
	s.untilStopping(t)
	err := <-s.result
	if err == nil ||
		!strings.Contains(
			err.Error(), "requests were still running 10ms after the stop began; their connections were closed",
		) {
		t.Errorf("run returned %v", err)
	}
	if answer, err := finish(""); err == nil {
		answer.Body.Close()
		t.Errorf("the request got status %d", answer.StatusCode)
	}
}

func TestServe_SecondSignal_EndsImmediately(t *testing.T) {
	t.Parallel()
	program := exec.Command("firemode", "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--stop-timeout", "1h")
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s := &server{url: strings.TrimSpace(strings.TrimPrefix(line, "listening on "))}
	finish := s.begin(t)
	ended := make(chan error, 1)
	go func() { ended <- program.Wait() }()
	// A signal that arrives while the first is being handled may be ignored, so signals repeat.
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; {
		program.Process.Signal(os.Interrupt) // the process may have ended
		select {
		case <-ended:
			waiting = false
		case <-tick.C:
		}
	}
	if status := program.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() ||
		status.Signal() != syscall.SIGINT {
		t.Errorf("ended with %s, want by the signal", program.ProcessState)
	}
	if answer, err := finish(""); err == nil {
		answer.Body.Close()
		t.Errorf("the request got status %d", answer.StatusCode)
	}
}

func TestServe_TLS_HTTP2(t *testing.T) {
	t.Parallel()
	model := httptest.NewUnstartedServer(nil)
	model.EnableHTTP2 = true
	model.StartTLS()
	defer model.Close()
	cert, key := writePair(t, model.TLS.Certificates[0])
	s := startServer(t, "--tls-cert", cert, "--tls-key", key)
	answer, err := model.Client().Get(s.url + "/health/live")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Proto != "HTTP/2.0" {
		t.Errorf("%s %d, want HTTP/2.0 200", answer.Proto, answer.StatusCode)
	}
}

func TestServe_InvalidAddressOrCertificate_Error(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"address in use", []string{"--addr", taken.Addr().String()}, "address already in use"},
		{"metrics address in use", []string{"--addr", "127.0.0.1:0", "--metrics-addr", taken.Addr().String()}, "metrics: listen"},
		{"no certificate", []string{"--addr", "127.0.0.1:0", "--tls-cert", "absent.pem", "--tls-key", "absent.pem"}, "certificate: open absent.pem"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout bytes.Buffer
			args := append([]string{"serve", "--data", t.TempDir()}, c.args...)
			err := run(t.Context(), args, nil, nil, &stdout, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("run returned %v, want %s", err, c.want)
			}
			if stdout.Len() > 0 {
				t.Errorf("printed %s", stdout.String())
			}
		})
	}
}

// Jobs that keep caches current run on every node that serves the API.
func TestServe_Role_ServicesAndRoutes(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	keys := t.TempDir()
	startRole(t, url, keys, app.RoleAPI) // runs beside the others
	for role, want := range map[string]string{
		app.RoleAPI:    "api backlog bundles classifications results revocations rules watch",
		app.RoleWorker: "api backlog bundles classifications janitor results",
		app.RoleAll:    "api backlog bundles classifications janitor results revocations rules watch",
	} {
		s := startRole(t, url, keys, role)
		_, body, err := fetch(s.url + "/health/ready")
		if err != nil {
			t.Fatal(err)
		}
		var r readiness
		if err := json.Unmarshal([]byte(body), &r); err != nil || !r.Ready {
			t.Errorf("%s: %s", role, body)
		}
		for _, service := range strings.Fields(want) {
			if r.Checks["service:"+service].State != "healthy" {
				t.Errorf("%s: no %s in %s", role, service, body)
			}
		}
		if got := strings.Count(body, `"service:`); got != len(strings.Fields(want)) {
			t.Errorf("%s runs %d services, want %s: %s", role, got, want, body)
		}
		if _, known := r.Checks["revocations"]; known != (role != app.RoleWorker) {
			t.Errorf("%s: %s", role, body)
		}
		serves := http.StatusUnauthorized
		if role == app.RoleWorker {
			serves = http.StatusNotFound
		}
		if status, body, err := fetch(s.url + "/v1/buildings"); err != nil || status != serves {
			t.Errorf("%s: %d %s %v", role, status, body, err)
		}
		if status, _, err := fetch(s.url + "/metrics"); err != nil || status != http.StatusOK {
			t.Errorf("%s: metrics %d %v", role, status, err)
		}
		s.stop()
		if err := <-s.result; err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
}

func TestServe_RoleWithoutPostgres_Error(t *testing.T) {
	t.Parallel()
	err := run(
		t.Context(), []string{"serve", "--role", "worker", "--data", t.TempDir(), "--addr", "127.0.0.1:0"}, nil,
		strings.NewReader(""), &strings.Builder{}, &strings.Builder{},
	)
	if err == nil || !strings.Contains(err.Error(), "give --db-url") {
		t.Errorf("run returned %v", err)
	}
	err = run(
		t.Context(), []string{"serve", "--role", "king"}, nil, strings.NewReader(""), &strings.Builder{},
		&strings.Builder{},
	)
	if err == nil || !strings.Contains(err.Error(), "none of api, worker, all") {
		t.Errorf("run returned %v", err)
	}
}

// During the delay the node reports not ready, so that load balancers notice before the first
// connection is refused.
func TestServe_DrainDelay_NotReadyButServing(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--drain-delay", "1s")
	s.stop()
	s.untilStopping(t)
	status, body, err := fetch(s.url + "/health/ready")
	if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(body, `"serving":{"ok":false,`) ||
		!strings.Contains(body, "starting or stopping") {
		t.Errorf("%d %s %v", status, body, err)
	}
	if status, body, err := fetch(s.url + "/health/live"); err != nil || status != http.StatusOK {
		t.Errorf("%d %s %v", status, body, err)
	}
	if err := <-s.result; err != nil {
		t.Errorf("run returned %v", err)
	}
}

// server is the program serving in this process.
type server struct {
	url    string
	log    *bufio.Reader // what it writes to stderr, unread lines first
	stop   context.CancelFunc
	result chan error
}

// startServer runs `firemode serve` with args on a free port and a new data folder, and waits until
// it listens.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	return startServerIn(t, nil, args...)
}

// startServerIn is startServer with environment variables.
func startServerIn(t *testing.T, env []string, args ...string) *server {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	logs, stderr := io.Pipe()
	s := &server{log: bufio.NewReader(logs), stop: stop, result: make(chan error, 1)}
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir()}, args...)
	go func() {
		s.result <- run(ctx, args, env, strings.NewReader(""), stdout, stderr)
		stdout.Close()
		stderr.Close()
	}()
	t.Cleanup(func() {
		stop()
		go io.Copy(io.Discard, logs) // the log is read to the end
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", <-s.result)
	}
	s.url = strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	return s
}

// begin sends the header of a request and waits until the server asks for the body; finish sends
// it.
func (s *server) begin(t *testing.T) (finish func(body string) (*http.Response, error)) {
	t.Helper()
	body, sender := io.Pipe()
	asked := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(asked) }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/auth/login", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Expect", "100-continue")
	type outcome struct {
		answer *http.Response
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		answer, err := (&http.Transport{ExpectContinueTimeout: time.Minute}).RoundTrip(r)
		done <- outcome{answer, err}
	}()
	<-asked
	return func(text string) (*http.Response, error) {
		io.WriteString(sender, text) // if the server is gone, the response is an error
		sender.Close()
		o := <-done
		return o.answer, o.err
	}
}

// untilStopping reads the log until the stop has begun.
func (s *server) untilStopping(t *testing.T) {
	t.Helper()
	for {
		line, err := s.log.ReadString('\n')
		if err != nil {
			t.Fatalf("the log ended: %v", err)
		}
		if strings.Contains(line, "msg=stopping") {
			go io.Copy(io.Discard, s.log) // the log is read to the end
			return
		}
	}
}

func writePair(t *testing.T, c tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: c.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

func startRole(t *testing.T, url, keys, role string) *server {
	t.Helper()
	s := startServer(t, "--db-url", url, "--keys", keys, "--role", role, "--min-free-mb", "0")
	go io.Copy(io.Discard, s.log) // the log must have a reader
	return s
}

// readiness is the response of /health/ready.
type readiness struct {
	Ready  bool
	Status string
	Checks map[string]struct {
		OK             bool
		State, Message string
	}
}

// fetch requests over a new connection.
func fetch(url string) (status int, body string, err error) {
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}).Get(
		url,
	)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}
