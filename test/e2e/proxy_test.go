package e2e

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// proxy passes TCP connections on to a server, and can lose an answer: the server has done what it
// was asked, and nobody hears of it.
type proxy struct {
	url   string
	armed atomic.Bool
	lost  atomic.Int64 // answers
}

// before starts a proxy before a server.
func before(t *testing.T, s server) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p := &proxy{url: "http://" + listener.Addr().String()}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(near, strings.TrimPrefix(s.url, "http://"))
		}
	}()
	return p
}

// loseNext has the next answer lost.
func (p *proxy) loseNext() { p.armed.Store(true) }

func (p *proxy) pass(near net.Conn, target string) {
	defer near.Close()
	far, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer far.Close()
	go func() {
		io.Copy(far, near)
		far.Close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := far.Read(buf)
		if n > 0 && p.armed.CompareAndSwap(true, false) {
			p.lost.Add(1)
			return // the answer is here and goes no further
		}
		if _, failed := near.Write(buf[:n]); failed != nil || err != nil {
			return
		}
	}
}
