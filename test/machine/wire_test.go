package machine

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// request is one request as it goes over the wire.
type request struct {
	token, method, path string
	body                io.Reader
	header              map[string]string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) replayed() bool { return a.header.Get("Idempotency-Replayed") == "true" }

// into reads an answer that must be a success.
func (a answer) into(v any) error {
	if a.status != http.StatusOK {
		return fmt.Errorf("status %d: %s", a.status, a.body)
	}
	return json.Unmarshal(a.body, v)
}

// do has the real handler answer q. An answer in lines is returned as the JSON that it must come
// to; one that comes to none has status 0.
func (s *site) do(q request) answer {
	if q.body == nil {
		q.body = http.NoBody
	}
	r := httptest.NewRequest(q.method, "http://firemode.test"+q.path, q.body)
	r.Header.Set("Authorization", "Bearer "+q.token)
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, r)
	a := answer{rec.Code, rec.Header(), rec.Body.Bytes()}
	asked := q.header["Accept"] == mediaLines && a.status == http.StatusOK
	if lined := rec.Header().Get("Content-Type") == mediaLines; lined != asked {
		return answer{body: fmt.Appendf(nil, "asked for lines: %t, answered in lines: %t: %s", asked, lined, a.body)}
	}
	if asked {
		text, err := unlined(a.body)
		if err != nil {
			return answer{body: fmt.Appendf(nil, "%v: %s", err, a.body)}
		}
		a.body = text
	}
	return a
}

// spelling is one of several ways to put the same content on the wire.
type spelling struct {
	other   bool   // members in another order, other white space, escapes, and one number written otherwise
	lines   bool   // one value on each line
	asked   bool   // for an answer in lines
	content string // Content-Encoding
}

var spellings = []spelling{
	{},
	{other: true},
	{lines: true},
	{other: true, content: "zstd"},
	{asked: true},
	{lines: true, other: true, asked: true, content: "gzip"},
	{content: "gzip"},
	{lines: true, asked: true, content: "zstd"},
}

func (s spelling) encode(text []byte) (body []byte, err error) {
	body = text
	switch {
	case s.lines:
		body, err = lined(text, s.other)
	case s.other:
		body, err = respell(text)
	}
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	switch s.content {
	case "gzip":
		z := gzip.NewWriter(&out)
		_, err = z.Write(body)
		return flushed(&out, z, err)
	case "zstd":
		z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		_, err = z.Write(body)
		return flushed(&out, z, err)
	}
	return body, nil
}

func flushed(out *bytes.Buffer, z io.Closer, err error) ([]byte, error) {
	if err == nil {
		err = z.Close()
	}
	return out.Bytes(), err
}

// respell writes the same JSON value in another way.
func respell(v jsontext.Value) (jsontext.Value, error) {
	v = bytes.TrimSpace(v)
	switch v.Kind() {
	case '{':
		d := jsontext.NewDecoder(bytes.NewReader(v))
		if _, err := d.ReadToken(); err != nil {
			return nil, err
		}
		var members []string
		for d.PeekKind() == '"' {
			member, err := respellMember(d)
			if err != nil {
				return nil, err
			}
			members = append(members, member)
		}
		slices.Reverse(members)
		return jsontext.Value("{\n" + strings.Join(members, " ,\t") + "}"), nil
	case '[':
		var elements, respelt []jsontext.Value
		if err := json.Unmarshal(v, &elements); err != nil {
			return nil, err
		}
		for _, e := range elements {
			e, err := respell(slices.Clone(e))
			if err != nil {
				return nil, err
			}
			respelt = append(respelt, e)
		}
		return jsontext.Value("[ " + string(bytes.Join(asBytes(respelt), []byte(" , "))) + " ]"), nil
	case '"':
		if c := v[1]; 'a' <= c && c <= 'z' {
			return jsontext.Value(fmt.Sprintf(`"\u%04x%s`, c, v[2:])), nil
		}
	}
	if string(v) == "12.50" {
		return jsontext.Value("1250e-2"), nil
	}
	return v, nil
}

func respellMember(d *jsontext.Decoder) (string, error) {
	name, err := d.ReadValue()
	if err != nil {
		return "", err
	}
	if name, err = respell(slices.Clone(name)); err != nil {
		return "", err
	}
	value, err := d.ReadValue()
	if err != nil {
		return "", err
	}
	value, err = respell(slices.Clone(value))
	return string(name) + " : " + string(value), err
}

func asBytes(values []jsontext.Value) [][]byte {
	all := make([][]byte, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}
