package loadtest

import (
	"strconv"
)

// resultsPath is where the profile writes: not below /items/, so that it is kept and flagged, and never becomes part of a record.
const resultsPath = "/test"

// writer makes the changes of one user, each with a value that nobody has written before.
type writer struct {
	run    string
	user   int
	device string // id of the client that numbers its batches; "" for the naive one, which says nothing about itself
	number int64  // of the batch that is under way; of the device's clock
	body   []byte
}

// value is the value of change number n of a user, and its Idempotency-Key: "run-user-n".
func value(run string, user int, n int64) string {
	return run + "-" + strconv.Itoa(user) + "-" + strconv.FormatInt(n, 10)
}

// next returns the key and the body of the user's next submission. What a device could not get acknowledged it says again, as it was, for the
// batches after it build on it; the naive client forgets it.
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

// appendMeta appends what the client says about its batch.
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
