package httpkit

import (
	"net/http"
	"time"
)

// response counts what goes out, and sets at the last moment the headers that only the outcome tells.
type response struct {
	http.ResponseWriter
	request *http.Request
	x       *State
	status  int
	bytes   int64
	mute    bool // the body is not wanted: 304
	drain   *Drain
	pause   time.Duration // that the client may make before it takes the next piece
	now     func() time.Time
}

// pieceSize is how much of an answer is sent at a time: what a link that is slow, and not dead, takes within a pause.
const pieceSize = 64 << 10

// expect gives the client until the pause is over to take what is written next: whoever has stopped must not keep what the answer is
// read from, a snapshot of the database.
func (w *response) expect() {
	// Not supported means a recorder in a test.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(w.now().Add(w.pause))
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status < http.StatusOK {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.x.Claim != nil && w.x.Claim.Replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	if status == http.StatusOK && notModified(w.request, w.Header().Get("ETag")) {
		status = http.StatusNotModified
		w.mute = true
		w.Header().Del("Content-Type")
		w.Header().Del("Content-Length")
		w.Header().Del("Content-Encoding")
	}
	if w.drain.stopping() {
		w.Header().Set("Connection", "close")
	}
	w.status = status
	w.expect()
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.mute {
		return len(p), nil
	}
	sent := 0
	for {
		w.expect()
		n, err := w.ResponseWriter.Write(p[sent:min(len(p), sent+pieceSize)])
		sent += n
		w.bytes += int64(n)
		if err != nil || sent == len(p) {
			return sent, err
		}
	}
}
