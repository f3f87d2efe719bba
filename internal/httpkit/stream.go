package httpkit

import (
	"bytes"
	"io"
	"net/http"
)

// Stream answers JSON, or NDJSON if the request asks for it, that is written piece by piece. If write
// fails before the first byte is sent, Stream returns its error, to be answered. Later it closes the
// connection, so that the client does not take a part for the whole.
func Stream(w http.ResponseWriter, r *http.Request, write func(io.Writer) error) error {
	x := StateOf(r.Context())
	out := &heldWriter{w: w, media: MediaJSON}
	if x.Lines {
		out.media = MediaLines
	}
	err := write(out)
	if err == nil {
		err = out.flush()
	}
	if err != nil && out.begun {
		x.failure = err
		panic(http.ErrAbortHandler)
	}
	return err
}

// heldBytes is how much of a stream is held back, so that an early error can still be answered.
const heldBytes = 64 << 10

// heldWriter holds back the first bytes of a response.
type heldWriter struct {
	media string
	w     http.ResponseWriter
	held  bytes.Buffer
	begun bool
}

// Write holds p back until there are heldBytes.
func (h *heldWriter) Write(p []byte) (int, error) {
	h.held.Write(p)
	if h.held.Len() < heldBytes {
		return len(p), nil
	}
	return len(p), h.flush()
}

func (h *heldWriter) flush() error {
	if !h.begun {
		h.begun = true
		h.w.Header().Set("Content-Type", h.media)
	}
	_, err := h.held.WriteTo(h.w)
	return err
}
