package machine

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// refusalLimit is the maximum size of a refusal.
const refusalLimit = 4 << 10

// attack is a hostile request.
type attack struct {
	name     string
	encoding string
	key      string // "" for one of its own
	body     func() (io.Reader, error)
	status   int
	says     string // names the limit
	limit    int64  // bytes that may be read of it
}

// attempted is an attack and its outcome.
type attempted struct {
	attack
	read   int64
	answer answer
}

// repelled returns how an attack got past the limits, nil if it did not.
func (s attempted) repelled() error {
	switch {
	case s.answer.status != s.status || !strings.Contains(string(s.answer.body), s.says):
		return fmt.Errorf("%s was answered %d: %.500s", s.name, s.answer.status, s.answer.body)
	case len(s.answer.body) > refusalLimit:
		return fmt.Errorf("%s was answered with %d bytes", s.name, len(s.answer.body))
	case s.read > s.limit:
		return fmt.Errorf("of %s %d bytes were read", s.name, s.read)
	}
	return nil
}

const (
	wireLimit    = 1 << 20
	decodedLimit = 8 << 20
)

// attacks exceed the limits of the API, some of them in disguise.
func attacks() []attack {
	of := func(text string) func() (io.Reader, error) {
		return func() (io.Reader, error) { return strings.NewReader(text), nil }
	}
	meta := func(text string) func() (io.Reader, error) { return of(`{"changes":[],"_sync_meta":` + text + `}`) }
	const some = 64 << 10
	return []attack{
		{
			name:   "a body without end",
			body:   endless,
			status: 413,
			says:   fmt.Sprint(decodedLimit),
			limit:  decodedLimit + some,
		},
		{
			name:     "a compressed body without end",
			encoding: "gzip",
			body:     endless,
			status:   413,
			says:     fmt.Sprint(wireLimit),
			limit:    wireLimit + some,
		},
		{
			name:     "a decompression bomb in gzip",
			encoding: "gzip",
			body:     bomb(true),
			status:   413,
			says:     "times its size",
			limit:    some,
		},
		{
			name:     "a decompression bomb in zstd",
			encoding: "zstd",
			body:     bomb(false),
			status:   413,
			says:     "times its size",
			limit:    some,
		},
		{
			name:   "too many changes",
			body:   of(`{"changes":[` + strings.Repeat("0,", 5000) + `0]}`),
			status: 422,
			says:   "5000",
			limit:  some,
		},
		{
			name:   "a fraction as a batch number",
			body:   meta(`{"client_id":"A","vector_clock":{"A":1.5}}`),
			status: 422,
			says:   "vector_clock",
			limit:  some,
		},
		{
			name:   "a negative number",
			body:   meta(`{"client_id":"A","vector_clock":{"A":-1}}`),
			status: 422,
			says:   "vector_clock",
			limit:  some,
		},
		{
			name:   "a client id of the form that the server reserves",
			body:   meta(`{"client_id":"A~s","vector_clock":{"A~s":1}}`),
			status: 422,
			says:   "64 characters",
			limit:  some,
		},
		{
			name:   "a long batch id",
			body:   meta(`{"client_id":"A","batch_id":"` + strings.Repeat("x", 65) + `"}`),
			status: 422,
			says:   "64",
			limit:  some,
		},
		{
			name:   "two documents in one",
			body:   of(`{"changes":[],"changes":[{"op":"remove","path":"/items"}]}`),
			status: 400,
			says:   "changes",
			limit:  some,
		},
		{
			name:   "deeply nested arrays",
			body:   of(strings.Repeat("[", 50_000)),
			status: 400,
			says:   "FIRE-400",
			limit:  2 * some,
		},
		{name: "a long key", key: strings.Repeat("k", 256), body: meta(`{}`), status: 400, says: "255", limit: some},
	}
}

func endless() (io.Reader, error) { return spaces{}, nil }

// spaces is an endless body.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// bomb is small compressed and exceeds every limit decoded.
func bomb(gzipped bool) func() (io.Reader, error) {
	return func() (io.Reader, error) {
		var out bytes.Buffer
		var in io.WriteCloser = gzip.NewWriter(&out)
		if !gzipped {
			z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
			if err != nil {
				return nil, err
			}
			in = z
		}
		if _, err := io.CopyN(in, spaces{}, decodedLimit+1); err != nil {
			return nil, err
		}
		return &out, in.Close()
	}
}

// metered counts the bytes that are read.
type metered struct {
	io.Reader
	read int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.read += int64(n)
	return n, err
}

// attack sends one of the attacks.
func (m *machine) attack(pick int) error {
	all := attacks()
	a := all[pick%len(all)]
	body, err := a.body()
	if err != nil {
		return err
	}
	in := &metered{Reader: body}
	key := a.key
	if key == "" {
		key = m.id("attack ")
	}
	got := m.do(request{
		token:  m.tokens["ann"],
		method: "POST",
		path:   m.path("/results"),
		body:   in,
		header: map[string]string{
			"Idempotency-Key": key, "Content-Type": "application/json", "Content-Encoding": a.encoding,
		},
	})
	m.hostile = append(m.hostile, attempted{a, in.read, got})
	return m.check()
}
