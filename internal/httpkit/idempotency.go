package httpkit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"firemode"
	"firemode/internal/store"
)

// maxKeyLength is the greatest length of an Idempotency-Key.
const maxKeyLength = 255

// inFlight holds the keys of requests that this node is running.
type inFlight struct {
	mu   sync.Mutex
	keys map[[2]string]chan struct{} // closed when the request is through
}

// keyPatience is how long a request waits for another with its key, to give the same answer.
const keyPatience = 2 * time.Second

// take reserves (scope, key) until release is called. While another request has it, take waits for a while; ok is false if it
// still has it then.
func (f *inFlight) take(ctx context.Context, scope, key string) (release func(), ok bool) {
	k := [2]string{scope, key}
	ctx, cancel := context.WithTimeout(ctx, keyPatience)
	defer cancel()
	for {
		release, busy := f.try(k)
		if release != nil {
			return release, true
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, false
		}
	}
}

// try reserves k, or tells when whoever has it is through.
func (f *inFlight) try(k [2]string) (release func(), busy <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if running := f.keys[k]; running != nil {
		return nil, running
	}
	if f.keys == nil {
		f.keys = map[[2]string]chan struct{}{}
	}
	through := make(chan struct{})
	f.keys[k] = through
	return func() {
		f.mu.Lock()
		delete(f.keys, k)
		f.mu.Unlock()
		close(through)
	}, nil
}

// claimKey puts the claim of the request's Idempotency-Key into x, on routes that honour it. The services keep it, in the
// transaction that does the work; here stands only what has to be known before.
func (s *Server) claimKey(r *http.Request, x *State) error {
	if x.route.Once == OnceIgnored {
		return nil
	}
	key, err := idempotencyKey(r)
	switch {
	case err != nil:
		return err
	case key == "" && x.route.Once == OnceOwn:
		return firemode.Malformed("the header Idempotency-Key is required here")
	case key == "":
		return nil
	case x.route.Once == OnceOwn:
		// The path is decoded: however a client escapes an id, it names one scope.
		x.Claim = &store.Idempotency{Scope: scopeOf(x.Caller.Principal, r.Method, r.URL.Path), Key: key}
		return nil
	}
	print, err := s.fingerprint(r, x)
	if err != nil {
		return err
	}
	claim := &store.Idempotency{Scope: scope(r, x, print), Key: key, Fingerprint: print}
	release, ok := s.inFlight.take(r.Context(), claim.Scope, key)
	if !ok {
		e := Failure(firemode.CodeInFlight, "a request with this Idempotency-Key is still running")
		e.RetryAfter = time.Second
		return e
	}
	x.atEnd(release)
	x.Claim = claim
	return nil
}

// scope returns the scope of the key of a request whose stored response the store keeps. Without a caller it is the request itself, so
// that strangers who choose the same key do not share a response.
func scope(r *http.Request, x *State, print []byte) string {
	if x.route.Permission == nil {
		return strings.Join([]string{hex.EncodeToString(print), r.Method, x.path}, "|")
	}
	return scopeOf(x.Caller.Principal, r.Method, x.path)
}

// scopeOf returns the scope of a caller's keys: the user, the method and the path. It is stored, so it must not change: a client may
// retry across an upgrade.
func scopeOf(p firemode.Principal, method, path string) string {
	return strings.Join([]string{string(p.Org), string(p.User), method, path}, "|")
}

// idempotencyKey returns the key of r, "" when there is none; CodeMalformed unless it is 1 to 255 printable characters.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	printable := !strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	if len(values) > 1 || key == "" || len(key) > maxKeyLength || !printable {
		return "", firemode.Malformed("the header Idempotency-Key must be one value of 1 to %d printable characters", maxKeyLength)
	}
	return key, nil
}

// fingerprint tells requests apart: method, path, query and body. It is keyed, since a body may hold a password and the
// fingerprint is stored.
func (s *Server) fingerprint(r *http.Request, x *State) ([]byte, error) {
	sum := hmac.New(sha256.New, s.key)
	for _, part := range []string{"firemode request", r.Method, x.path, x.query} {
		writeField(sum, []byte(part))
	}
	if x.route.Body.Streamed {
		if err := spool(r, x, sum); err != nil {
			return nil, err
		}
	} else {
		writeField(sum, x.Body)
	}
	return sum.Sum(nil), nil
}

// writeField adds a part with its length before it, so that no two lists of parts are the same bytes.
func writeField(h hash.Hash, part []byte) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
	h.Write(part)
}

// spool hashes a streamed body, and keeps it in a temporary file for the handler.
func spool(r *http.Request, x *State, sum hash.Hash) error {
	file, err := os.CreateTemp("", "firemode-body-*")
	if err != nil {
		return fmt.Errorf("keep the body: %w", err)
	}
	x.atEnd(func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	})
	if _, err := io.Copy(io.MultiWriter(sum, file), r.Body); err != nil {
		return fmt.Errorf("keep the body: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("keep the body: %w", err)
	}
	r.Body = file
	return nil
}
