package httpkit

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// MediaLines is JSON with one value on each line, for what is too long to be held whole at either end.
const MediaLines = "application/x-ndjson"

// wantsLines reports whether an answer is to be lines: only where that is named, and JSON is not named as better.
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

// takes is every media type of the route's bodies, in words.
func (rt *Route) takes() string {
	if rt.Lines {
		return rt.Body.Media + " or " + MediaLines
	}
	return rt.Body.Media
}

// LineWriter writes an answer line by line. Each is an object with one member, whose name tells what it is; the last is "end", with how
// many there were of each. An answer without it has been cut off.
type LineWriter struct {
	out    io.Writer
	counts map[string]int
}

// NewLineWriter returns a LineWriter that writes to out.
func NewLineWriter(out io.Writer) *LineWriter { return &LineWriter{out: out, counts: map[string]int{}} }

// Count returns how many lines there were of many.
func (l *LineWriter) Count(many string) int { return l.counts[many] }

// Write writes one line, and counts it under many unless that is "".
func (l *LineWriter) Write(one, many string, v any) error {
	if many != "" {
		l.counts[many]++
	}
	var text bytes.Buffer
	text.WriteString(`{"` + one + `":`)
	if err := EncodeJSON(&text, v); err != nil {
		return err
	}
	text.WriteString("}\n")
	_, err := l.out.Write(text.Bytes())
	return err
}
