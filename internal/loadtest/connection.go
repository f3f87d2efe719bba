package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// target is the address of the server.
type target struct {
	base    string // URL without a trailing slash
	host    string // of the Host header
	address string // to dial
	prefix  string // path before /v1
	secure  bool
	dialer  func(ctx context.Context, network, address string) (net.Conn, error)
}

// IsLoopback reports whether the host of the URL is "localhost" or a loopback address. It does not
// resolve names.
func IsLoopback(targetURL string) bool {
	u, err := url.Parse(targetURL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func newTarget(c Config) (target, error) {
	u, err := url.Parse(c.Target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return target{}, fmt.Errorf("%q is not the URL of a server, such as http://localhost:8080", c.Target)
	}
	if !c.AllowRemote && !IsLoopback(c.Target) {
		return target{}, fmt.Errorf("%s is not this machine; use --allow-remote to test another machine", u.Host)
	}
	t := target{
		base: strings.TrimRight(c.Target, "/"), host: u.Host, prefix: strings.TrimRight(u.EscapedPath(), "/"),
		secure: u.Scheme == "https", dialer: c.Dial,
	}
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "80", true: "443"}[t.secure]
	}
	t.address = net.JoinHostPort(u.Hostname(), port)
	if t.dialer == nil {
		t.dialer = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	return t, nil
}

// dial opens a connection that speaks HTTP/1.1.
func (t target) dial(ctx context.Context) (net.Conn, error) {
	conn, err := t.dialer(ctx, "tcp", t.address)
	if err != nil || !t.secure {
		return conn, err
	}
	name, _, err := net.SplitHostPort(t.address)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(conn, &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// client returns an HTTP client for the calls around the load.
func (t target) client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{DialContext: t.dialer, MaxIdleConnsPerHost: 4, DisableCompression: true},
	}
}

// connection is one HTTP/1.1 connection. It opens when it is first needed, and reopens after it was
// closed. Unlike http.Transport it needs no goroutines and sends encoded requests: the generator
// may share the machine with the server that it measures.
type connection struct {
	target  target
	timeout time.Duration
	now     func() time.Time

	conn net.Conn
	in   *bufio.Reader
	body bytes.Buffer
}

// response is the response to a request. Its body is valid until the next request.
type response struct {
	status int
	body   []byte
	size   int64 // of the body on the wire, compressed
}

// maxBody is the maximum size of a response whose body is kept.
const maxBody = 1 << 20

var errTooLong = fmt.Errorf("the response body exceeds %d bytes", maxBody)

// send sends a request and reads the whole response. With keep it keeps the body, otherwise only
// its size. After an error it is unknown whether the server processed the request.
func (w *connection) send(ctx context.Context, request []byte, keep bool) (a response, err error) {
	if err := w.open(ctx); err != nil {
		return a, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if err := w.conn.SetDeadline(w.now().Add(w.timeout)); err != nil {
		return a, err
	}
	if _, err := w.conn.Write(request); err != nil {
		return a, err
	}
	response, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return a, fmt.Errorf("no response: %w", err)
	}
	a.status = response.StatusCode
	a.size, err = w.drain(response.Body, keep || a.status != http.StatusOK)
	a.body = w.body.Bytes()
	if err == nil && response.Close {
		w.close()
	}
	return a, err
}

// drain reads a body to its end and returns its size.
func (w *connection) drain(body io.ReadCloser, keep bool) (size int64, err error) {
	defer body.Close()
	w.body.Reset()
	if !keep {
		return io.Copy(io.Discard, body)
	}
	size, err = w.body.ReadFrom(io.LimitReader(body, maxBody))
	if err == nil && size == maxBody {
		err = errTooLong
	}
	return size, err
}

func (w *connection) open(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	conn, err := w.target.dial(ctx)
	if err != nil {
		return err
	}
	w.conn = conn
	if w.in == nil {
		w.in = bufio.NewReader(nil)
	}
	w.in.Reset(conn)
	return nil
}

func (w *connection) close() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}
