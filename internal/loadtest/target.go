package loadtest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// target is the server as the wire needs it.
type target struct {
	base    string // URL without a slash at its end
	host    string // of the Host header
	address string // to dial
	prefix  string // path in front of /v1
	secure  bool
	dialer  func(ctx context.Context, network, address string) (net.Conn, error)
}

// IsLoopback reports whether the URL names this machine, without asking anybody: only "localhost" and loopback addresses do.
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
		return target{}, fmt.Errorf("%s is not this machine: a load test of another one must be allowed (--allow-remote)", u.Host)
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

// client is for the calls around the load: logging in, reading back.
func (t target) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: t.dialer, MaxIdleConnsPerHost: 4, DisableCompression: true}}
}
