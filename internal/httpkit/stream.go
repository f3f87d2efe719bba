package httpkit

import (
	"bytes"
	"io"
	"net/http"
)

// Stream answers JSON, or lines, that are made while they are written. What fails before the first byte is answered as an error; what fails
// after it breaks the connection off, so that a part never looks like the whole.
func Stream(w http.ResponseWriter, r *http.Request, write func(io.Writer) error) error {
	out := &lateAnswer{w: w, media: MediaJSON}
	if StateOf(r.Context()).Lines {
		out.media = MediaLines
	}
	err := write(out)
	if err == nil {
		err = out.flush()
	}
	if err != nil && out.begun {
		StateOf(r.Context()).failure = err
		panic(http.ErrAbortHandler)
	}
	return err
}

// lateAnswer holds back the first bytes of an answer, so that an error soon after them can still be answered.
type lateAnswer struct {
	media string
	w     http.ResponseWriter
	held  bytes.Buffer
	begun bool
}

const heldBack = 64 << 10

func (l *lateAnswer) Write(p []byte) (int, error) {
	l.held.Write(p)
	if l.held.Len() < heldBack {
		return len(p), nil
	}
	return len(p), l.flush()
}

func (l *lateAnswer) flush() error {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", l.media)
	}
	_, err := l.held.WriteTo(l.w)
	return err
}
