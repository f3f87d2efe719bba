package httpkit

import (
	"strings"
	"testing"
)

func TestListener_OtherResponses_Unchanged(t *testing.T) {
	t.Parallel()
	c := &conn{newID: newID}
	for _, p := range []string{
		"", "HTTP/1.1 ", "HTTP/1.1 400",
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: now\r\n\r\nhello",
		"HTTP/1.1 999 Odd" + plainHeaders + "odd", "HTTP/1.1 x" + plainHeaders,
		"x HTTP/1.1 400 Bad Request" + plainHeaders + "400",
		"HTTP/1.1 400 Bad Request" + plainHeaders + "400 Bad Request\n",
		"HTTP/1.1 400 Bad Request" + plainHeaders + strings.Repeat("x", plainLimit),
	} {
		if got := c.rewritten([]byte(p)); got != nil {
			t.Errorf("%q became %q", p, got)
		}
	}
}
