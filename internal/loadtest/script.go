package loadtest

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
)

// script is what one account says, encoded once: whole requests where they are always the same, else the part that is.
type script struct {
	classify []byte
	bundle   []byte
	results  []byte // up to the value of the Idempotency-Key
}

// newScript encodes the requests of somebody who holds an access token.
func newScript(t target, c Config, token string) (*script, error) {
	finding, err := json.Marshal(struct {
		Item      string `json:"item_code"`
		Condition string `json:"observed_condition"`
	}{string(c.Item), c.Condition})
	if err != nil {
		return nil, err
	}
	head := func(method, path string) []byte {
		return fmt.Appendf(nil, "%s %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: firemode-loadtest\r\nAuthorization: Bearer %s\r\n",
			method, t.prefix, path, t.host, token)
	}
	session := "/v1/tests/sessions/" + string(c.Session)
	s := &script{
		classify: withBody(append(head("POST", "/v1/classify"), contentType...), finding),
		bundle:   append(head("GET", session+"/offline_bundle"), "Accept-Encoding: zstd, gzip\r\n\r\n"...),
		results:  append(append(head("POST", session+"/results"), contentType...), "Idempotency-Key: "...),
	}
	return s, nil
}

const contentType = "Content-Type: application/json\r\n"

// submission appends a POST of results.
func (s *script) submission(out []byte, key string, body []byte) []byte {
	out = append(append(out, s.results...), key...)
	return withBody(append(out, "\r\n"...), body)
}

// withBody ends the header of a request and appends its body.
func withBody(head, body []byte) []byte {
	head = append(head, "Content-Length: "...)
	head = strconv.AppendInt(head, int64(len(body)), 10)
	return append(append(head, "\r\n\r\n"...), body...)
}
