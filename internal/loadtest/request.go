package loadtest

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"firemode"
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

// classification is the part of a classify response that is checked.
type classification struct {
	Class firemode.Class   `json:"classification"`
	Audit firemode.AuditID `json:"audit_log_id"`
}

// receipt is the part of a receipt that is checked.
type receipt struct {
	Status  string `json:"status"`
	Results []struct {
		Status string `json:"status"`
		Reason string `json:"reason"`
	} `json:"results"`
}

// problem is an error response of the API.
type problem struct {
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

// refusal returns the error that a response reports, nil for a success.
func (a response) refusal() error {
	if a.status == http.StatusOK {
		return nil
	}
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Code == "" {
		return fmt.Errorf("status %d", a.status)
	}
	return fmt.Errorf("status %d %s: %s", a.status, p.Code, p.Message)
}

// classified checks that a finding is classified as want.
func (a response) classified(want firemode.Class) error {
	if err := a.refusal(); err != nil {
		return err
	}
	var j classification
	if err := json.Unmarshal(a.body, &j); err != nil {
		return fmt.Errorf("not a classification: %w", err)
	}
	switch {
	case j.Class != want:
		return fmt.Errorf("classified as %q, before the load as %q", j.Class, want)
	case j.Audit == "":
		return fmt.Errorf("no audit_log_id")
	}
	return nil
}

// acknowledged checks that the one change of a submission is merged.
func (a response) acknowledged() error {
	if err := a.refusal(); err != nil {
		return err
	}
	var r receipt
	if err := json.Unmarshal(a.body, &r); err != nil {
		return fmt.Errorf("not a receipt: %w", err)
	}
	if r.Status != "merged" || len(r.Results) != 1 {
		return fmt.Errorf("receipt is %q for %d changes, want \"merged\" for 1", r.Status, len(r.Results))
	}
	switch result := r.Results[0]; result.Status {
	case "applied", "superseded", "duplicate":
		return nil
	default:
		return fmt.Errorf("change is %q: %s", result.Status, result.Reason)
	}
}

// bundled checks the response to a bundle request, whose body is discarded.
func (a response) bundled() error {
	if err := a.refusal(); err != nil {
		return err
	}
	if a.size == 0 {
		return fmt.Errorf("the bundle is empty")
	}
	return nil
}
