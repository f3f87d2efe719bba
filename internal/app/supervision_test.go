package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"firemode"
	"firemode/client"
	"firemode/internal/identity"
	"firemode/internal/store/storetest/pgtest"
)

// Each service is killed in turn under load, and at each restart until it is released. Readiness
// names it, the other services keep serving, it restarts after its release, a metric counts the
// restart, and no acknowledged change is lost.
func TestSupervision_ServiceKilledUnderLoad_Restarts(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, storage Storage) {
		v := startTestNode(t, storage)
		l := v.load(4)
		l.progress(20)
		v.until("the node is ready", v.ready)
		names := []string{
			serviceResults, serviceClassifications, serviceBundles, serviceRevocations, serviceRules, serviceWatch, serviceBacklog, serviceJanitor, serviceMetrics, serviceAPI,
		}
		if storage.DBURL == "" {
			names = append(names, serviceWriter)
		}
		for _, name := range names {
			v.kill(name, l)
		}
		l.end()
		v.stop()
		if err := <-v.result; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

// testNode is a node that serves in this process, with a killer inside.
type testNode struct {
	*killer
	t       *testing.T
	url     string
	metrics string
	admin   *client.Client
	prober  *http.Client
	stop    context.CancelFunc
	result  chan error
}

func startTestNode(t *testing.T, storage Storage) *testNode {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	v := &testNode{
		killer: &killer{wake: map[string]context.CancelFunc{}}, t: t,
		prober: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second},
		stop:   stop, result: make(chan error, 1),
	}
	v.must(Use(ctx, storage, time.Now, func(s *Services) error {
		if err := s.Identity.AddOrganisation(ctx, "acme", "Acme"); err != nil {
			return err
		}
		_, err := s.Identity.CreateUser(identity.AsOperator(ctx, "acme"), identity.NewUser{
			Username: "jo", FullName: "jo", Role: firemode.RoleAdmin, Password: "correct horse battery",
		})
		return err
	}))
	logs, stderr := io.Pipe()
	started := make(chan string, 1)
	config := Config{
		Storage: storage, Server: testServer(), Now: time.Now, Log: stderr,
		OnStarted: func(url string) { started <- url }, hooks: v.hooks(),
	}
	go func() {
		v.result <- Run(ctx, config)
		stderr.Close()
	}()
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(logs)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if _, at, ok := strings.Cut(lines.Text(), "msg=metrics address="); ok {
				address <- at
			}
		}
	}()
	select {
	case v.url = <-started:
	case err := <-v.result:
		t.Fatalf("the node did not start: %v", err)
	}
	t.Cleanup(stop)
	v.metrics = <-address
	var err error
	v.admin, err = client.New(client.Config{BaseURL: v.url})
	v.must(err)
	v.must(v.admin.Login(ctx, "jo", "correct horse battery"))
	_, err = v.admin.CreateBuilding(ctx, client.NewBuilding{ID: "b", Name: "B", Address: "S"})
	v.must(err)
	_, err = v.admin.CreateSession(
		ctx, client.NewSession{ID: "s", Building: "b", Name: "S", Frequency: firemode.Monthly},
	)
	v.must(err)
	return v
}

// testServer returns the settings of serve, with free ports and no minimum of free space.
func testServer() Server {
	return Server{
		Addr: "127.0.0.1:0", MetricsAddr: "127.0.0.1:0", MetricsSessions: 1000, MaxConnections: 10000, ShedAfter: 2 * time.Second,
		BodyMemory: 128, Role: RoleAll, StopTimeout: 20 * time.Second, LogLevel: "info", LogFormat: "text",
	}
}

func (v *testNode) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

// readiness uses one connection, like a load balancer: a new connection would wait while the
// listener is down.
func (v *testNode) readiness() (status int, body string) {
	answer, err := v.prober.Get(v.url + "/health/ready")
	if err != nil {
		v.t.Errorf("readiness: %v", err)
		return 0, ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	v.must(err)
	return answer.StatusCode, string(text)
}

// bundle requests the bundle of the session under load.
func (v *testNode) bundle() error {
	_, err := v.admin.Bundle(v.t.Context(), "s", client.BundleQuery{})
	return err
}

func (v *testNode) ready() bool {
	status, _ := v.readiness()
	return status == http.StatusOK
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

// metric returns the value of a series, "" if it is unavailable.
func (v *testNode) metric(series string) string {
	_, page, err := fetch("http://" + v.metrics + "/metrics")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(page) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// until polls until seen returns true, for at most a minute.
func (v *testNode) until(what string, seen func() bool) {
	v.t.Helper()
	for begun := time.Now(); !seen(); {
		if time.Since(begun) > time.Minute {
			_, body := v.readiness()
			v.t.Fatalf("not seen in a minute: %s; readiness: %s", what, body)
		}
		time.Sleep(5 * time.Millisecond) // the node cannot notify the test
	}
}

// load is clients that post results and classify until end. Each change carries a unique number.
type load struct {
	testNode *testNode
	last     atomic.Int64
	enough   chan struct{}
	workers  sync.WaitGroup

	mu      sync.Mutex
	acked   []int64
	retries int
}

func (v *testNode) load(clients int) *load {
	l := &load{testNode: v, enough: make(chan struct{})}
	token := v.admin.Tokens().Access
	for range clients {
		l.workers.Go(func() { l.work(token) })
	}
	return l
}

func (l *load) work(token string) {
	c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	defer c.CloseIdleConnections()
	for {
		select {
		case <-l.enough:
			return
		default:
		}
		n := l.last.Add(1)
		if !l.until(
			c,
			token,
			"/v1/tests/sessions/s/results",
			fmt.Sprintf(`{"changes": [{"op": "append", "path": "/items/found/remarks", "value": "n%d"}]}`, n),
			fmt.Sprint("r", n),
		) {
			return
		}
		l.mu.Lock()
		l.acked = append(l.acked, n)
		l.mu.Unlock()
		if !l.until(
			c, token, "/v1/classify",
			`{"item_code": "AS1851-2012-FE-01", "observed_condition": "pressure_low"}`, fmt.Sprint("c", n),
		) {
			return
		}
	}
}

// until retries a request until it succeeds. Like a client it retries only a 503.
func (l *load) until(c *http.Client, token, path, body, key string) bool {
	for begun := time.Now(); ; {
		r, err := http.NewRequest(http.MethodPost, l.testNode.url+path, strings.NewReader(body))
		if err != nil {
			l.testNode.t.Error(err)
			return false
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Idempotency-Key", key)
		answer, err := c.Do(r)
		if err != nil {
			l.testNode.t.Errorf("POST %s: %v", path, err)
			return false
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		switch {
		case answer.StatusCode == http.StatusOK:
			return true
		case answer.StatusCode != http.StatusServiceUnavailable || !bytes.Contains(text, []byte(`"retryable":true`)) || answer.Header.Get("Retry-After") == "":
			l.testNode.t.Errorf("POST %s: %d %s", path, answer.StatusCode, text)
			return false
		case time.Since(begun) > 30*time.Second:
			l.testNode.t.Errorf("POST %s: still %d after 30 s", path, answer.StatusCode)
			return false
		}
		l.mu.Lock()
		l.retries++
		l.mu.Unlock()
		time.Sleep(10 * time.Millisecond) // a client waits before a retry too
	}
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// progress waits until n more changes are acknowledged.
func (l *load) progress(n int) {
	l.testNode.t.Helper()
	from := l.count()
	l.testNode.until(fmt.Sprintf("%d more changes acknowledged", n), func() bool { return l.count() >= from+n })
}

// end stops the clients and checks that the log holds every acknowledged change once.
func (l *load) end() {
	t := l.testNode.t
	t.Helper()
	close(l.enough)
	l.workers.Wait()
	found := map[string]int{}
	for one, err := range l.testNode.admin.History(t.Context(), "s", "/items/found/remarks") {
		l.testNode.must(err)
		found[string(one.Value)]++
	}
	for _, n := range l.acked {
		if at := found[fmt.Sprintf(`"n%d"`, n)]; at != 1 {
			t.Errorf("change %d was acknowledged and is %d times in the log", n, at)
		}
	}
	t.Logf("%d changes acknowledged, %d retries", len(l.acked), l.retries)
}

// onEachEngine runs test in parallel on a new database of each engine.
func onEachEngine(t *testing.T, test func(t *testing.T, storage Storage)) {
	t.Helper()
	for engine, url := range map[string]func(testing.TB) string{
		"sqlite":   func(testing.TB) string { return "" },
		"postgres": pgtest.Empty,
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, Storage{Data: t.TempDir(), DBURL: url(t)})
		})
	}
}

// kill kills one service, checks the others, and lets it restart.
func (v *testNode) kill(name string, l *load) {
	v.t.Helper()
	killed := v.order(name)
	switch name { // these work on request
	case serviceBundles:
		v.until(
			"the bundle service dies",
			func() bool { return client.StatusOf(v.bundle()) == http.StatusServiceUnavailable },
		)
	case serviceMetrics:
		fetch("http://" + v.metrics + "/metrics")
	case serviceAPI:
		fetch(v.url + "/health/live")
	}
	<-killed
	named := fmt.Sprintf(`"service:%s":{"ok":false,`, name)
	if dispensable(name) {
		named = fmt.Sprintf(`"service:%s":{"ok":true,`, name)
	}
	v.until("readiness names "+name, func() bool {
		status, body := v.readiness()
		_, part, _ := strings.Cut(body, named)
		part, _, _ = strings.Cut(part, "}")
		return strings.Contains(part, "failed; restarts in ") && (status == http.StatusOK) == dispensable(name)
	})
	switch name {
	case serviceResults, serviceClassifications, serviceWriter:
		if _, err := v.admin.Session(v.t.Context(), "s"); err != nil {
			v.t.Errorf("while %s is down: %v", name, err)
		}
	default:
		l.progress(20)
	}
	waiting := make(chan error, 1)
	go func() { // on a new connection
		status, body, err := fetch(v.url + "/health/live")
		if err == nil && status != http.StatusOK {
			err = errors.New(body)
		}
		waiting <- err
	}()
	if name != serviceMetrics {
		v.until(
			"the metric says that "+name+" is down",
			func() bool { return v.metric(`supervised_service_up{service="`+name+`"}`) == "0" },
		)
	}
	v.release()
	v.until("bundles work", func() bool { return v.bundle() == nil })
	v.until(
		name+" is up",
		func() bool { return v.ready() && v.metric(`supervised_service_up{service="`+name+`"}`) == "1" },
	)
	if n, err := strconv.Atoi(v.metric(`supervised_service_restarts_total{service="` + name + `"}`)); err != nil ||
		n < 1 {
		v.t.Errorf("the metric counts %[2]d restarts of %[1]s, %[3]v", name, n, err)
	}
	if err := <-waiting; err != nil {
		v.t.Errorf("connection made while %s was down: %v", name, err)
	}
	l.progress(20)
}
