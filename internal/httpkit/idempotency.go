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

// keyWait is how long a request waits for a running one with its key, to give the same response.
const keyWait = 2 * time.Second

// idempotencyKeys claims the Idempotency-Key of requests. The services store the claims, in the
// transaction that does the work.
type idempotencyKeys struct {
	secret  []byte // HMAC key of fingerprints
	running runningKeys
}

// runningKeys holds the keys of the requests that this node is processing.
type runningKeys struct {
	mu   sync.Mutex
	keys map[[2]string]chan struct{} // closed when the request ends
}

// acquire reserves (scope, key) until release is called. While another request has it, acquire waits
// for keyWait at most; ok is false if the other one still has it then.
func (k *runningKeys) acquire(ctx context.Context, scope, key string) (release func(), ok bool) {
	id := [2]string{scope, key}
	ctx, cancel := context.WithTimeout(ctx, keyWait)
	defer cancel()
	for {
		release, busy := k.tryAcquire(id)
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

// tryAcquire reserves id, or returns a channel that is closed when the request that has it ends.
func (k *runningKeys) tryAcquire(id [2]string) (release func(), busy <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if running := k.keys[id]; running != nil {
		return nil, running
	}
	if k.keys == nil {
		k.keys = map[[2]string]chan struct{}{}
	}
	ended := make(chan struct{})
	k.keys[id] = ended
	return func() {
		k.mu.Lock()
		delete(k.keys, id)
		k.mu.Unlock()
		close(ended)
	}, nil
}

// claim puts the claim of the request's Idempotency-Key into x, on a route that honours it.
func (k *idempotencyKeys) claim(r *http.Request, x *State) error {
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
		// The path is decoded: however a client escapes an id, it means one scope.
		x.Claim = &store.Idempotency{Scope: scopeOf(x.Caller.Principal, r.Method, r.URL.Path), Key: key}
		return nil
	}
	print, err := k.fingerprint(r, x)
	if err != nil {
		return err
	}
	claim := &store.Idempotency{Scope: scope(r, x, print), Key: key, Fingerprint: print}
	release, ok := k.running.acquire(r.Context(), claim.Scope, key)
	if !ok {
		e := Failure(firemode.CodeInFlight, "a request with this Idempotency-Key is still running")
		e.RetryAfter = time.Second
		return e
	}
	x.atEnd(release)
	x.Claim = claim
	return nil
}

// scope returns the scope of a key whose stored response the store keeps. Without a caller it is the
// request itself, so that strangers who choose the same key do not share a response.
func scope(r *http.Request, x *State, print []byte) string {
	if x.route.Permission == nil {
		return strings.Join([]string{hex.EncodeToString(print), r.Method, x.path}, "|")
	}
	return scopeOf(x.Caller.Principal, r.Method, x.path)
}

// scopeOf returns the scope of a caller's key: the user, the method and the path. It is stored, so
// its form must not change: a client may retry across an upgrade.
func scopeOf(p firemode.Principal, method, path string) string {
	return strings.Join([]string{string(p.Org), string(p.User), method, path}, "|")
}

// idempotencyKey returns the key of r, "" if there is none. It fails with CodeMalformed unless the
// key is 1 to 255 printable characters.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	printable := !strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	if len(values) > 1 || key == "" || len(key) > maxKeyLength || !printable {
		return "", firemode.Malformed(
			"the header Idempotency-Key must be one value of 1 to %d printable characters", maxKeyLength)
	}
	return key, nil
}

// fingerprint identifies a request by its method, path, query and body. It is stored, and a body may
// hold a password, so it is keyed.
func (k *idempotencyKeys) fingerprint(r *http.Request, x *State) ([]byte, error) {
	sum := hmac.New(sha256.New, k.secret)
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

// writeField writes a part with its length before it, so that no two lists of parts have the same
// bytes.
func writeField(h hash.Hash, part []byte) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
	h.Write(part)
}

// spool hashes a streamed body, and keeps it in a temporary file for the handler.
func spool(r *http.Request, x *State, sum hash.Hash) error {
	file, err := os.CreateTemp("", "firemode-body-*")
	if err != nil {
		return fmt.Errorf("spool the body: %w", err)
	}
	x.atEnd(func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	})
	if _, err := io.Copy(io.MultiWriter(sum, file), r.Body); err != nil {
		return fmt.Errorf("spool the body: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("spool the body: %w", err)
	}
	r.Body = file
	return nil
}
