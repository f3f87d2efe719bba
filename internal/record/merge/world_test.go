package merge_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"firemode"
	"firemode/internal/defects"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/verify"
	"firemode/internal/record/view"
	"firemode/internal/rules"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
	"firemode/internal/store/storetest/pgtest"
	"firemode/internal/visits"
	"firemode/test/race"
)

// TestMain sets how many random histories are played on each engine, unless -rapid.checks does.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := flag.Set(f.Name, strconv.Itoa(race.Histories(300, 30))); err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
	}
	if err := flag.Set("rapid.nofailfile", "true"); err != nil { // the seed replays
		fmt.Println(err)
		os.Exit(2)
	}
	os.Exit(pgtest.Main(m))
}

// emptyBook is a rulebook without rules: what is tested here is the merge.
type emptyBook struct{}

func (emptyBook) RuleSet(context.Context, firemode.OrgID) (*rules.Set, error) {
	return rules.NewSet(nil), nil
}

// clock is the time of the store: every look at it is a millisecond later.
type clock struct {
	mu sync.Mutex
	at time.Time
}

var epoch = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Millisecond)
	return c.at
}

func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = epoch
}

// world is a store with many organisations, one for each history.
type world struct {
	store    store.Database
	scratch  store.Database
	clock    *clock
	signer   note.Signer
	verifier note.Verifier
	orgs     int
}

// kept is a scratch store that serves several verifications.
type kept struct{ store.Store }

func (kept) Close() error { return nil }

func openScratch(t testing.TB, now func() time.Time) store.Database {
	t.Helper()
	s, err := sqlite.Open(
		t.Context(),
		sqlite.Config{Path: filepath.Join(t.TempDir(), "firemode.db"), Now: now, Scratch: true},
	)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	must(t, s.Migrate(t.Context()))
	return s
}

func openPostgres(t testing.TB, now func() time.Time) store.Database {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.New(t), Now: now})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func newWorld(t testing.TB, open func(testing.TB, func() time.Time) store.Database) *world {
	t.Helper()
	c := &clock{at: epoch}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	signer, err := ledger.NewSigner(key)
	must(t, err)
	verifier, err := note.NewVerifier(ledger.PublicKey(key))
	must(t, err)
	return &world{store: open(t, c.now), scratch: openScratch(t, time.Now), clock: c, signer: signer, verifier: verifier}
}

// record is the whole record of a world's sessions, with the visits and defects that stand on it.
type record struct {
	*merge.Service
	views  *view.Service
	visits *visits.Service
	w      *world
}

func (w *world) newService() (*record, error) {
	m, err := merge.New(w.store, merge.Config{
		Now: w.clock.now, Rules: emptyBook{}, Signer: w.signer,
		Consequences: []merge.Consequences{defects.Consequences{NewID: newID}},
	})
	if err != nil {
		return nil, err
	}
	v, err := visits.New(w.store, visits.Config{NewID: newID, Rand: rand.Reader, Rules: emptyBook{}, Merge: m})
	return &record{Service: m, views: view.New(w.store), visits: v, w: w}, err
}

func (r *record) Results(ctx context.Context, q view.Query, sink view.Sink) error {
	return r.views.Results(ctx, q, sink)
}

func (r *record) Patch(
	ctx context.Context,
	id firemode.SessionID,
	ifMatch string,
	patch visits.Patch,
) (visits.Detail, error) {
	return r.visits.Patch(ctx, id, ifMatch, patch)
}

// verify rebuilds a session in a scratch store, without an audit log.
func (r *record) verify(ctx context.Context, ref ledger.SessionRef, scratch store.Store, report verify.Report) error {
	v := &verify.Verifier{
		Store: r.w.store, Merge: r.Service, Key: r.w.verifier, Report: report,
		Recomputers: []verify.Recomputer{defects.Recomputer{}},
		Scratch:     func(context.Context) (verify.Scratch, error) { return kept{scratch}, nil },
	}
	return v.Session(ctx, ref)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// secret is the key of every session: conflict ids are the same when a history is played again.
var secret = []byte("the secret of a session, 32 byte")

// newSession makes an organisation with one session of items.
func (w *world) newSession(ctx context.Context, items ...firemode.ItemID) (ledger.SessionRef, error) {
	w.orgs++
	w.clock.reset()
	org := firemode.OrgID(fmt.Sprintf("o%d", w.orgs))
	ref := ledger.SessionRef{Org: org, Session: "visit"}
	return ref, w.store.Update(ctx, func(tx store.Tx) error {
		if err := store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, firemode.Organisation{
			ID:   org,
			Name: "O", CreatedAt: tx.Now(),
		}); err != nil {
			return err
		}
		for _, name := range []string{"ann", "bob", "cyd"} { // for whom a manager may submit
			named := name + "@" + string(org)
			user := firemode.User{
				Org:          org,
				ID:           firemode.UserID(name),
				Username:     named,
				FullName:     name,
				Role:         firemode.RoleTechnician,
				PasswordHash: "x",
				Version:      1,
				CreatedAt:    tx.Now(),
			}
			if err := store.As[store.UserWriter](tx).CreateUser(ctx, user); err != nil {
				return err
			}
		}
		if err := store.As[store.BuildingWriter](tx).CreateBuilding(ctx, firemode.Building{
			Org: org, ID: "b", Name: "B",
			Address: "A", Status: firemode.BuildingActive, Version: 1, CreatedAt: tx.Now(),
		}); err != nil {
			return err
		}
		err := store.As[store.SessionWriter](tx).CreateSession(ctx, firemode.Session{
			Org: org, ID: ref.Session, Building: "b", Name: "S", Frequency: firemode.Yearly, Status: firemode.SessionPending,
			ItemCount: len(items), Version: 1, CreatedAt: tx.Now(), Format: firemode.CurrentFormat,
		}, ledger.Head{Epoch: 1, Key: secret, ChangedAt: tx.Now()})
		if err != nil {
			return err
		}
		rows := make([]firemode.Item, len(items))
		for i, id := range items {
			rows[i] = firemode.Item{
				ID:       id,
				Name:     string(id),
				Position: i,
				Listed:   true,
				Kind:     firemode.KindAsset,
				State:    firemode.ItemUntouched,
			}
		}
		return store.As[store.ItemWriter](tx).CreateItems(ctx, org, ref.Session, rows)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is a Sink that keeps what it is given.
type answer struct {
	view.Header
	leaves    []crdt.Reading
	conflicts []ledger.Conflict
	removed   []crdt.Pointer
	late      []ledger.Entry
}

func (a *answer) Begin(v view.Header) error { a.Header = v; return nil }
func (a *answer) Leaf(r crdt.Reading) error { a.leaves = append(a.leaves, r); return nil }

func (a *answer) Conflict(c ledger.Conflict) error {
	a.conflicts = append(a.conflicts, c)
	return nil
}

func (a *answer) Removed(p crdt.Pointer) error { a.removed = append(a.removed, p); return nil }
func (a *answer) Late(b ledger.Entry) error    { a.late = append(a.late, b); return nil }

// document is what the leaves come to.
func (a *answer) document() string {
	var out strings.Builder
	c := crdt.NewComposer(&out)
	for _, r := range a.leaves {
		if err := c.Leaf(r); err != nil {
			return err.Error()
		}
	}
	if err := c.End(); err != nil {
		return err.Error()
	}
	return out.String()
}
