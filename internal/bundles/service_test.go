package bundles_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"firemode"
	"firemode/internal/bundles"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/recordtest"
	"firemode/internal/record/view"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestNew_SomethingMissing_Error(t *testing.T) {
	s := storetest.OpenSQLite(t)
	whole := bundles.Config{Views: view.New(s), Rules: recordtest.Rules{}, Encode: encode, Now: time.Now}
	for name, remove := range map[string]func(*bundles.Config){
		"views":  func(c *bundles.Config) { c.Views = nil },
		"rules":  func(c *bundles.Config) { c.Rules = nil },
		"encode": func(c *bundles.Config) { c.Encode = nil },
		"now":    func(c *bundles.Config) { c.Now = nil },
	} {
		c := whole
		remove(&c)
		if _, err := bundles.New(s, c); err == nil {
			t.Errorf("without %s: no error", name)
		}
	}
}

func TestGet_Content_OfTheSessionAndItsResults(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s, nil)
		w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
		b := w.get()
		want := `{"building":"b","items":["E1","E2"],"rules":["FE-01"],"seq":1,"leaves":["/x 1"],"limit":134217728}`
		if got := string(b.Encodings[""]); got != want {
			t.Errorf("content\n%s\nwant\n%s", got, want)
		}
		if b.Session != recordtest.Session || b.Seq != 1 || len(b.ETag) != 24 {
			t.Errorf("%s, entry %d, ETag %q", b.Session, b.Seq, b.ETag)
		}
		z, err := gzip.NewReader(bytes.NewReader(b.Encodings["gzip"]))
		must(t, err)
		plain, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(plain, b.Encodings[""]) {
			t.Errorf("gzip: %q, error %v", plain, err)
		}
	})
}

func TestGet_WithinASecond_SameBundle(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t), nil)
	first := w.get()
	w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
	w.pass(time.Second - time.Nanosecond)
	if b := w.get(); b != first {
		t.Errorf("entry %d, want the bundle of entry %d", b.Seq, first.Seq)
	}
	w.pass(time.Nanosecond)
	if b := w.get(); b.Seq != 1 || b.ETag == first.ETag {
		t.Errorf("entry %d with ETag %s, was %s", b.Seq, b.ETag, first.ETag)
	}
}

func TestGet_EqualContentLater_SameETagAndBytes(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t), nil)
	first := w.get()
	w.pass(time.Second)
	if b := w.get(); b == first || b.ETag != first.ETag || &b.Encodings[""][0] != &first.Encodings[""][0] {
		t.Errorf("ETag %s, was %s", b.ETag, first.ETag)
	}
}

func TestGet_ManyCallers_OneBuild(t *testing.T) {
	var built atomic.Int64
	release := make(chan struct{})
	w := newWorld(t, storetest.OpenSQLite(t), func(ctx context.Context, c bundles.Content) ([]byte, error) {
		built.Add(1)
		<-release
		return encode(ctx, c)
	})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() { w.get() })
	}
	close(release)
	callers.Wait()
	if n := built.Load(); n != 1 {
		t.Errorf("%d builds, want 1", n)
	}
}

func TestGet_EncoderFailsOrPanics_ErrorIsNotCached(t *testing.T) {
	broken := errors.New("broken")
	for name, fail := range map[string]func() ([]byte, error){
		"error": func() ([]byte, error) { return nil, broken },
		"panic": func() ([]byte, error) { panic("torn") },
	} {
		failing := true
		w := newWorld(t, storetest.OpenSQLite(t), func(ctx context.Context, c bundles.Content) ([]byte, error) {
			if failing {
				return fail()
			}
			return encode(ctx, c)
		})
		if _, err := w.bundles.Get(manager(w.t), recordtest.Session); err == nil || firemode.CodeOf(err) != firemode.CodeInternal {
			t.Errorf("%s: error %v", name, err)
		}
		failing = false
		w.get()
	}
}

func TestGet_InvisibleSession_NotFound(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s, nil)
		w.get()
		owner := recordtest.As(t, "olga", firemode.RoleOwner) // of no building
		stranger := firemode.WithPrincipal(t.Context(), firemode.Principal{Org: "p", User: "eve", Role: firemode.RoleAdmin})
		for _, ctx := range []context.Context{owner, stranger} {
			if _, err := w.bundles.Get(ctx, recordtest.Session); firemode.CodeOf(err) != firemode.CodeNotFound {
				t.Errorf("error %v, want not found", err)
			}
		}
	})
}

// encode lists the content.
func encode(ctx context.Context, c bundles.Content) ([]byte, error) {
	sink := &sink{}
	if err := c.Results(ctx, sink); err != nil {
		return nil, err
	}
	var items []firemode.ItemID
	for _, i := range c.Items {
		items = append(items, i.ID)
	}
	var codes []firemode.RuleCode
	for _, r := range c.Rules {
		codes = append(codes, r.Code)
	}
	return json.Marshal(struct {
		Building firemode.BuildingID `json:"building"`
		Items    []firemode.ItemID   `json:"items"`
		Rules    []firemode.RuleCode `json:"rules"`
		Seq      int64               `json:"seq"`
		Leaves   []string            `json:"leaves"`
		Limit    int                 `json:"limit"`
	}{c.Building.ID, items, codes, sink.header.Seq, sink.leaves, c.MaxResults})
}

type sink struct {
	header view.Header
	leaves []string
}

func (s *sink) Begin(h view.Header) error {
	s.header = h
	return nil
}

func (s *sink) Leaf(r crdt.Reading) error {
	s.leaves = append(s.leaves, string(r.Path)+" "+string(r.Value))
	return nil
}
func (*sink) Conflict(ledger.Conflict) error { return nil }
func (*sink) Removed(crdt.Pointer) error     { return nil }
func (*sink) Late(ledger.Entry) error        { return nil }

// world is a session with the service that makes its bundles, by a clock that the test moves.
type world struct {
	*recordtest.World
	t       *testing.T
	bundles *bundles.Service
	now     time.Time
}

func newWorld(t *testing.T, s store.Database, with bundles.Encode) *world {
	t.Helper()
	w := &world{
		World: recordtest.New(t, s, []firemode.ItemID{"E1", "E2"}), t: t, now: time.Now(),
	}
	if with == nil {
		with = encode
	}
	var err error
	w.bundles, err = bundles.New(s, bundles.Config{
		Views: view.New(s), Rules: recordtest.Rules{}, Encode: with, Now: func() time.Time { return w.now },
	})
	must(t, err)
	t.Cleanup(w.bundles.Close)
	return w
}

// manager is a context whose caller may see every session.
func manager(t *testing.T) context.Context { return recordtest.As(t, "mary", firemode.RoleManager) }

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

// get returns the bundle.
func (w *world) get() *bundles.Bundle {
	w.t.Helper()
	b, err := w.bundles.Get(manager(w.t), recordtest.Session)
	if err != nil {
		w.t.Error(err)
		return &bundles.Bundle{}
	}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
