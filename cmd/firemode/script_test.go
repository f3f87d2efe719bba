package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// await PIPE reads the output of a server from a named pipe until it prints its address, and sets
// $URL. The pipe stays open until the script ends, so that the server can continue to write.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await PIPE")
	}
	pipe, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { pipe.Close() })
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			ts.Setenv("URL", url)
			return
		}
	}
	ts.Fatalf("the server ended before it listened")
}

// keep NAME sets $NAME to the last standard output.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keep NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// http STATUS METHOD PATH [BODY-FILE] sends a request to $URL, with the bearer token $TOKEN if it
// is set. The body of the response becomes the standard output.
func httpOnce(ts *testscript.TestScript, neg bool, args []string) {
	status, body := ask(ts, neg, args)
	io.WriteString(ts.Stdout(), body) // a buffer in memory
	if status != args[0] {
		ts.Fatalf("status %s, want %s", status, args[0])
	}
}

// until STATUS METHOD PATH repeats a request like http until the response has the status.
func httpUntil(ts *testscript.TestScript, neg bool, args []string) {
	timeout := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		status, _ := ask(ts, neg, args)
		if status == args[0] {
			return
		}
		select {
		case <-timeout:
			ts.Fatalf("status is still %s, want %s", status, args[0])
		case <-tick.C:
		}
	}
}

func ask(ts *testscript.TestScript, neg bool, args []string) (status, body string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: http|until STATUS METHOD PATH [BODY-FILE]")
	}
	if len(args) == 4 {
		body = ts.ReadFile(args[3])
	}
	r, err := http.NewRequest(args[1], ts.Getenv("URL")+args[2], strings.NewReader(body))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	if token := ts.Getenv("TOKEN"); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	return strconv.Itoa(answer.StatusCode), string(text)
}

// failing N PATH starts a proxy of $URL that forwards N requests to PATH and fails the others, and
// sets $URL to its address.
func failing(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: failing N PATH")
	}
	most, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	server, err := url.Parse(ts.Getenv("URL"))
	ts.Check(err)
	var asked atomic.Int64
	behind := httputil.NewSingleHostReverseProxy(server)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == args[1] && asked.Add(1) > most {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	ts.Defer(proxy.Close)
	ts.Setenv("URL", proxy.URL)
}
