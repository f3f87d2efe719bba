package httpkit

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// Listener gives the error format to what net/http answers by itself, before there is a request that a handler could see: a
// request line or a header that cannot be read, headers that are too large, a transfer coding that it does not know. Such
// answers are plain text, and net/http has no hook for them; they are told by being one write of exactly that text. They are
// in no log and no metric. Connections that are not TCP are left as they are: put it under plain HTTP only.
func Listener(l net.Listener, newID func() string) net.Listener {
	return listener{l, newID}
}

type listener struct {
	net.Listener
	newID func() string
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(socket); ok && err == nil {
		return &conn{tcp, l.newID}, nil
	}
	return c, err
}

// socket is a TCP connection, or one around it: net/http looks for more than net.Conn.
type socket interface {
	net.Conn
	io.ReaderFrom // sending files
	CloseWrite() error
}

type conn struct {
	socket
	newID func() string
}

// plainHeaders are those of net/http's own answers, no others: every answer of a handler has a Date and more.
const plainHeaders = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// plainLimit is more than net/http's longest answer.
const plainLimit = 512

func (c *conn) Write(p []byte) (int, error) {
	answer := c.rewritten(p)
	if answer == nil {
		return c.socket.Write(p)
	}
	if _, err := c.socket.Write(answer); err != nil {
		return 0, err
	}
	return len(p), nil
}

// rewritten is the answer to give in place of p, nil if p is none of net/http's own.
func (c *conn) rewritten(p []byte) []byte {
	if len(p) > plainLimit || !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) {
		return nil
	}
	line, text, ok := strings.Cut(string(p), plainHeaders)
	if !ok || strings.ContainsAny(line+text, "\r\n") {
		return nil
	}
	status, err := strconv.Atoi(line[len("HTTP/1.1 "):min(len(line), len("HTTP/1.1 400"))])
	if err != nil || http.StatusText(status) == "" {
		return nil
	}
	return c.plainProblem(status)
}

func (c *conn) plainProblem(status int) []byte {
	messages := map[int]string{
		http.StatusBadRequest:                  "the request line or a header cannot be read",
		http.StatusRequestHeaderFieldsTooLarge: "the headers are too large",
		http.StatusNotImplemented:              "this Transfer-Encoding is not taken here",
	}
	id := c.newID()
	p := Problem{TransactionID: id, Code: fmt.Sprintf("FIRE-%d", status), Message: messages[status], Details: []ProblemDetail{}}
	if p.Message == "" {
		p.Message = strings.ToLower(http.StatusText(status))
	}
	var body bytes.Buffer
	if err := EncodeJSON(&body, p); err != nil {
		return nil
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\nX-Request-ID: %s\r\nX-Content-Type-Options: nosniff\r\n\r\n%s",
		status, http.StatusText(status), MediaJSON, body.Len(), id, body.Bytes())
}
