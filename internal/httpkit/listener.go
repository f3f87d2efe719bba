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

// Listener returns l with the responses of net/http itself rewritten as Problems. net/http answers in
// plain text, without a hook, what fails before a handler runs: a malformed request line or header,
// headers that are too large, an unknown transfer coding. Listener recognises such a response as one
// write of exactly that text. These responses are not logged and not measured. Connections that are
// not TCP are passed through, so use it under plain HTTP only.
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

// socket is a TCP connection with the optional methods that net/http uses.
type socket interface {
	net.Conn
	io.ReaderFrom // sending files
	CloseWrite() error
}

type conn struct {
	socket
	newID func() string
}

// plainHeaders are the headers of net/http's own responses. A response of a handler always has more,
// such as Date.
const plainHeaders = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// plainLimit is greater than the longest such response, in bytes.
const plainLimit = 512

func (c *conn) Write(p []byte) (int, error) {
	response := c.rewritten(p)
	if response == nil {
		return c.socket.Write(p)
	}
	if _, err := c.socket.Write(response); err != nil {
		return 0, err
	}
	return len(p), nil
}

// rewritten returns the response to send in place of p, nil if p is not one of net/http's own.
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
		http.StatusBadRequest:                  "the request line or a header is malformed",
		http.StatusRequestHeaderFieldsTooLarge: "the headers are too large",
		http.StatusNotImplemented:              "this Transfer-Encoding is not supported",
	}
	id := c.newID()
	p := Problem{TransactionID: id, Code: fireCode(status), Message: messages[status], Details: []ProblemDetail{}}
	if p.Message == "" {
		p.Message = strings.ToLower(http.StatusText(status))
	}
	var body bytes.Buffer
	if err := EncodeJSON(&body, p); err != nil {
		return nil
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n"+
		"X-Request-ID: %s\r\nX-Content-Type-Options: nosniff\r\n\r\n%s",
		status, http.StatusText(status), MediaJSON, body.Len(), id, body.Bytes())
}
