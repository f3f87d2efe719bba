package httpkit

import (
	"net/http"
	"time"
)

// response counts what is sent, and sets at the last moment the headers that depend on the outcome.
type response struct {
	http.ResponseWriter
	request *http.Request
	x       *State
	status  int
	bytes   int64
	mute    bool // 304: the body is dropped
	drain   *Drain
	pause   time.Duration // how long the client may take for the next piece
	now     func() time.Time
}

// pieceSize is how much of a response is written at a time: what a slow connection can take within
// the pause.
const pieceSize = 64 << 10

// moveDeadline gives the client the pause to take what is written next. A client that has stopped
// reading must not hold open what the response is read from, such as a snapshot of the database.
func (w *response) moveDeadline() {
	// The recorders of tests support no deadline, which is an error here.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(w.now().Add(w.pause))
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader turns 200 into 304 if the client has the current version.
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
	w.moveDeadline()
	w.ResponseWriter.WriteHeader(status)
}

// Write writes p in pieces, each with a deadline of its own.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.mute {
		return len(p), nil
	}
	sent := 0
	for {
		w.moveDeadline()
		n, err := w.ResponseWriter.Write(p[sent:min(len(p), sent+pieceSize)])
		sent += n
		w.bytes += int64(n)
		if err != nil || sent == len(p) {
			return sent, err
		}
	}
}
