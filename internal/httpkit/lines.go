package httpkit

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// MediaLines is the media type of NDJSON: one JSON value per line, for what is too long to be held in
// memory at either end.
const MediaLines = "application/x-ndjson"

// wantsLines reports whether the response is to be NDJSON: only if Accept names it, and does not
// prefer JSON.
func wantsLines(r *http.Request, rt *Route) bool {
	if !rt.Lines {
		return false
	}
	weights := map[string]float64{}
	for item := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(item))
		if err != nil {
			continue
		}
		weights[media] = 1
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			weights[media] = q
		}
	}
	return weights[MediaLines] > 0 && weights[MediaLines] >= weights[MediaJSON]
}

// LineWriter writes a response as NDJSON. Each line is an object with one member, whose name says
// what it is. The last line is "end", with the counts of the others; a response without it was cut
// off.
type LineWriter struct {
	out    io.Writer
	counts map[string]int
}

// NewLineWriter returns a LineWriter that writes to out.
func NewLineWriter(out io.Writer) *LineWriter { return &LineWriter{out: out, counts: map[string]int{}} }

// Write writes v as one line with the member named name, and adds it to counter unless that is "".
func (l *LineWriter) Write(name, counter string, v any) error {
	if counter != "" {
		l.counts[counter]++
	}
	var text bytes.Buffer
	text.WriteString(`{"` + name + `":`)
	if err := EncodeJSON(&text, v); err != nil {
		return err
	}
	text.WriteString("}\n")
	_, err := l.out.Write(text.Bytes())
	return err
}

// Count returns how many lines were added to counter.
func (l *LineWriter) Count(counter string) int { return l.counts[counter] }
