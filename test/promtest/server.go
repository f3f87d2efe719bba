package promtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a Prometheus that scrapes one target each second, as job firemode.
type Server struct{ url string }

// Start runs a Prometheus until the test ends. target is host:port; rules are files of rules,
// evaluated each second.
func Start(t testing.TB, target string, rules ...string) Server {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, configuration(t, target, rules), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(Tool(t, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--log.format=json")
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // nothing of it is kept
		_ = c.Wait()
	})
	return Server{"http://" + ready(t, bufio.NewScanner(stderr))}
}

// ready reads the log until the server answers queries, and returns its address.
func ready(t testing.TB, lines *bufio.Scanner) (address string) {
	t.Helper()
	var log strings.Builder
	for lines.Scan() {
		var event struct{ Msg, Address string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatalf("%v in the log of prometheus: %s", err, lines.Text())
		}
		switch {
		case event.Msg == "Listening on":
			address = event.Address
		case strings.HasPrefix(event.Msg, "Server is ready"):
			go func() {
				for lines.Scan() { // nothing may fill the pipe
				}
			}()
			return address
		}
		fmt.Fprintln(&log, lines.Text())
	}
	t.Fatalf("prometheus ended before it was ready:\n%s", &log)
	return ""
}

func configuration(t testing.TB, target string, rules []string) []byte {
	t.Helper()
	files := make([]string, len(rules))
	for i, file := range rules {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = path
	}
	text, err := json.Marshal(map[string]any{ // JSON is YAML
		"global":     map[string]any{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
		"rule_files": files,
		"scrape_configs": []any{map[string]any{
			"job_name": "firemode", "static_configs": []any{map[string]any{"targets": []string{target}}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Sample is one series of the answer to a query. Value is as Prometheus writes it: a number, NaN,
// +Inf or -Inf.
type Sample struct {
	Labels map[string]string
	Value  string
}

// Query evaluates an expression now. What the server refuses ends the test.
func (s Server) Query(t testing.TB, expression string) []Sample {
	t.Helper()
	var data struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	}
	s.Get(t, "query?query="+url.QueryEscape(expression), &data)
	if data.Type != "vector" {
		t.Fatalf("%s is a %s, not a vector", expression, data.Type)
	}
	var series []struct {
		Metric map[string]string
		Value  [2]any
	}
	if err := json.Unmarshal(data.Result, &series); err != nil {
		t.Fatal(err)
	}
	samples := make([]Sample, len(series))
	for i, one := range series {
		samples[i] = Sample{Labels: one.Metric, Value: fmt.Sprint(one.Value[1])}
	}
	return samples
}

// Get reads the data of an endpoint of the API, named below /api/v1/, into data.
func (s Server) Get(t testing.TB, endpoint string, data any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v1/"+endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || body.Status != "success" {
		t.Fatalf("%s: status %d, %v %s", endpoint, answer.StatusCode, err, body.Error)
	}
}

// Await asks until done is true, for a minute at most. what says what is waited for.
func (s Server) Await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("still no %s after a minute", what)
		}
		time.Sleep(100 * time.Millisecond) // between two looks at what only a scrape can change
	}
}
