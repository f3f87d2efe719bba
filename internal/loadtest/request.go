package loadtest

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
)

// encodedRequests is the requests of one account, encoded once as far as they are always the same.
type encodedRequests struct {
	classify []byte
	bundle   []byte
	results  []byte // up to the value of the Idempotency-Key
}

// encodeRequests encodes the requests of the holder of an access token.
func encodeRequests(t target, c Config, token string) (*encodedRequests, error) {
	finding, err := json.Marshal(struct {
		Item      string `json:"item_code"`
		Condition string `json:"observed_condition"`
	}{string(c.Item), c.Condition})
	if err != nil {
		return nil, err
	}
	head := func(method, path string) []byte {
		return fmt.Appendf(
			nil, "%s %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: firemode-loadtest\r\nAuthorization: Bearer %s\r\n",
			method, t.prefix, path, t.host, token,
		)
	}
	session := "/v1/tests/sessions/" + string(c.Session)
	s := &encodedRequests{
		classify: withBody(append(head("POST", "/v1/classify"), contentType...), finding),
		bundle:   append(head("GET", session+"/offline_bundle"), "Accept-Encoding: zstd, gzip\r\n\r\n"...),
		results:  append(append(head("POST", session+"/results"), contentType...), "Idempotency-Key: "...),
	}
	return s, nil
}

const contentType = "Content-Type: application/json\r\n"

// submission appends a POST of results.
func (s *encodedRequests) submission(out []byte, key string, body []byte) []byte {
	out = append(append(out, s.results...), key...)
	return withBody(append(out, "\r\n"...), body)
}

// withBody appends the end of the header and the body of a request.
func withBody(head, body []byte) []byte {
	head = append(head, "Content-Length: "...)
	head = strconv.AppendInt(head, int64(len(body)), 10)
	return append(append(head, "\r\n\r\n"...), body...)
}

// resultsPath is the path of all changes. It is not below /items/, so the changes never become part
// of the record of an item.
const resultsPath = "/test"

// writer makes the changes of one user. Each has a value that nobody has written before.
type writer struct {
	run    string
	user   int
	device string // client id of a device that numbers its batches, "" for a client without an id
	number int64  // of the current batch
	body   []byte
}

// value returns the value of change number n of a user, which is also its Idempotency-Key:
// "run-user-n".
func value(run string, user int, n int64) string {
	return run + "-" + strconv.Itoa(user) + "-" + strconv.FormatInt(n, 10)
}

// next returns the key and the body of the next submission. A device sends an unacknowledged batch
// again, unchanged, since later batches refer to it; a client without an id drops it.
func (w *writer) next(unsettled bool) (key string, body []byte) {
	if !unsettled || w.device == "" {
		w.number++
	}
	key = value(w.run, w.user, w.number)
	w.body = append(append(w.body[:0], `{"changes":[{"op":"set","path":"`+resultsPath+`","value":"`...), key...)
	w.body = append(w.body, `"}],"_sync_meta":`...)
	w.body = append(w.appendMeta(w.body), '}')
	return key, w.body
}

// appendMeta appends the metadata of the current batch.
func (w *writer) appendMeta(out []byte) []byte {
	if w.device == "" {
		return append(out, `{"vector_clock":{}}`...)
	}
	out = append(out, `{"client_id":"`+w.device+`","client_type":"loadtest","batch_id":"`...)
	out = append(out, value(w.run, w.user, w.number)...)
	if w.number > 1 {
		out = append(append(out, `","prev_batch_id":"`...), value(w.run, w.user, w.number-1)...)
	}
	out = append(out, `","vector_clock":{"`+w.device+`":`...)
	return append(strconv.AppendInt(out, w.number, 10), `}}`...)
}
