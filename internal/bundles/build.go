package bundles

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/otel/trace"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/record/view"
)

// buildTimeout is how long the build of a bundle may take.
const buildTimeout = time.Minute

// build is the build of one bundle. Until it is done, only its worker uses it.
type build struct {
	caller  firemode.Principal
	span    trace.Span // of the request
	session firemode.Session
	last    *Bundle // of the last build, nil for none
	plan    *Plan   // of the last build, nil for none; then of this one

	bundle *Bundle
	header view.Header // of the results in it
	err    error
}

// build hands a build to the worker and waits for it.
func (s *Service) build(ctx context.Context, b *build) error {
	switch err := s.builds.Do(ctx, b); {
	case errors.Is(err, groupcommit.ErrDown), errors.Is(err, groupcommit.ErrLost):
		return firemode.Unavailable(time.Second, "the bundle could not be built; retry in 1 s")
	case err != nil:
		return err
	}
	return b.err
}

// run builds a group of bundles concurrently.
func (s *Service) run(ctx context.Context, group []*build) []error {
	var others sync.WaitGroup
	for _, b := range group[1:] {
		others.Go(func() { s.try(ctx, b) })
	}
	s.try(ctx, group[0])
	others.Wait()
	return nil
}

// try makes a panic the error of that build alone.
func (s *Service) try(ctx context.Context, b *build) {
	b.err = errors.New("bundles: the build did not finish")
	defer func() {
		if p := recover(); p != nil {
			b.err = fmt.Errorf("bundles: panic in the build of %s: %v\n%s", b.session.ID, p, debug.Stack())
		}
	}()
	b.err = s.make(ctx, b)
}

// make builds a bundle under the worker's context: the build goes on if its caller leaves, since
// others may wait for it.
func (s *Service) make(ctx context.Context, b *build) error {
	ctx = firemode.WithPrincipal(trace.ContextWithSpan(ctx, b.span), b.caller)
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	content, err := s.content(ctx, b)
	if err != nil {
		return err
	}
	text, err := s.Encode(ctx, content)
	if err != nil {
		return err
	}
	made := &Bundle{Session: b.session.ID, Seq: b.header.Seq, ETag: etag(text)}
	if b.last != nil && b.last.ETag == made.ETag {
		made.Encodings = b.last.Encodings
	} else if made.Encodings, err = compress(text); err != nil {
		return err
	}
	b.bundle = made
	return nil
}

func etag(text []byte) string {
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// compress returns a text by content encoding.
func compress(text []byte) (map[string][]byte, error) {
	encodings := map[string][]byte{"": text}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	encodings["zstd"] = z.EncodeAll(text, nil)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	encodings["gzip"] = zipped.Bytes()
	return encodings, z.Close()
}
