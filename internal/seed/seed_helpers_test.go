package seed_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/catalogue"
	"firemode/internal/defects"
	"firemode/internal/identity"
	"firemode/internal/keys"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge"
	"firemode/internal/record/view"
	"firemode/internal/seed"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
	"firemode/internal/visits"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// onBothEngines runs test on a new database of each engine.
func onBothEngines(t *testing.T, test func(*testing.T, store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, storetest.OpenSQLite(t)) })
	t.Run("postgres", func(t *testing.T) {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.New(t)})
		must(t, err)
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		test(t, db)
	})
}

// services returns the services on db, with a fast password hash.
func services(t *testing.T, db store.Store) demo {
	t.Helper()
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	secrets, err := keys.Open(t.TempDir())
	must(t, err)
	var s demo
	s.Auth, err = identity.New(db, identity.Config{
		Now: time.Now, NewID: newID, Keys: secrets,
		HashParams: argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	})
	must(t, err)
	s.Catalogue, err = catalogue.New(db, catalogue.Config{NewID: newID})
	must(t, err)
	t.Cleanup(s.Catalogue.Close)
	s.Buildings, err = assets.New(db, assets.Config{NewID: newID})
	must(t, err)
	signer, err := ledger.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	s.Merge, err = merge.New(db, merge.Config{
		Now: time.Now, Rules: s.Catalogue, Signer: signer,
		Consequences: []merge.Consequences{defects.Consequences{NewID: newID}},
	})
	must(t, err)
	s.Visits, err = visits.New(db, visits.Config{NewID: newID, Rand: rand.Reader, Rules: s.Catalogue, Merge: s.Merge})
	must(t, err)
	t.Cleanup(s.Merge.Close)
	s.Views, s.Defects = view.New(db), defects.New(db, newID)
	return s
}

// demo is what the demo is made with, and what its tests read it by.
type demo struct {
	seed.Services
	Views   *view.Service
	Defects *defects.Service
}

// run fills the demo and returns its progress.
func run(t *testing.T, s demo) []string {
	t.Helper()
	var lines []string
	must(t, seed.Demo(t.Context(), s.Services, func(line string) { lines = append(lines, line) }))
	return lines
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// counted is a store that counts writes and fails after a number of them: the next one fails before
// its commit, or after it like a connection that breaks.
type counted struct {
	store.Store
	writes      atomic.Int64
	limit       int64 // 0 is no limit
	afterCommit bool
}

var errCut = errors.New("cut off")

func (c *counted) Update(ctx context.Context, fn func(store.Tx) error) error {
	cut := c.writes.Add(1) > c.limit && c.limit > 0
	if cut && !c.afterCommit {
		return errCut
	}
	if err := c.Store.Update(ctx, fn); err != nil || !cut {
		return err
	}
	return errCut
}

// outline returns one line for each object of an installation, without what differs between runs.
func outline(t *testing.T, s demo) []string {
	t.Helper()
	orgs, err := s.Auth.Organisations(t.Context())
	must(t, err)
	var lines []string
	for _, o := range orgs {
		admin := asAdmin(t, o.ID)
		lines = slices.Concat(
			lines, users(t, admin, s), sites(t, admin, s), visitLines(t, admin, s), defectLines(t, admin, s),
		)
	}
	return lines
}

func asAdmin(t *testing.T, org firemode.OrgID) context.Context {
	return firemode.WithPrincipal(t.Context(), firemode.Principal{Org: org, User: "admin", Role: firemode.RoleAdmin})
}

func users(t *testing.T, ctx context.Context, s demo) (lines []string) {
	list, err := s.Auth.Users(ctx, all)
	must(t, err)
	for _, u := range list {
		lines = append(lines, fmt.Sprintln("user", u.Row.Org, u.Row.ID, u.Row.Username, u.Row.Role))
	}
	return lines
}

func sites(t *testing.T, ctx context.Context, s demo) (lines []string) {
	list, err := s.Buildings.List(ctx, store.BuildingFilter{}, all)
	must(t, err)
	for _, b := range list {
		assets, err := s.Buildings.Assets(ctx, b.Row.ID, store.AssetFilter{}, all)
		must(t, err)
		baselines := 0
		for _, a := range assets {
			baselines += len(a.Row.Baselines)
		}
		lines = append(
			lines,
			fmt.Sprintln(
				"building", b.Row.Org, b.Row.ID, "owners", b.Row.Owners, "assets", len(assets), "baselines",
				baselines,
			),
		)
	}
	return lines
}

func visitLines(t *testing.T, ctx context.Context, s demo) (lines []string) {
	list, err := s.Visits.List(ctx, store.SessionFilter{}, all)
	must(t, err)
	for _, v := range list {
		d := v.Row
		lines = append(
			lines,
			fmt.Sprintln(
				"session", d.Org, d.ID, d.Building, d.Frequency, d.Status, d.Technicians, "items", d.ItemCount,
				"checks", d.CheckCount, "done", d.Head.Done, "conflicts", d.Head.Conflicts, "gaps", d.Head.Gaps,
				"batches", d.Head.Batches,
			),
		)
	}
	return lines
}

func defectLines(t *testing.T, ctx context.Context, s demo) (lines []string) {
	list, err := s.Defects.List(ctx, store.DefectFilter{}, all)
	must(t, err)
	for _, row := range list {
		d := row.Row
		lines = append(lines, fmt.Sprintln("defect", d.Session, d.Item, d.Rule, d.Condition, d.Count, d.Status, d.Class,
			d.Classifications[0].Basis, len(d.Classifications), d.FoundBy))
	}
	slices.Sort(lines)
	return lines
}

// all is a page that holds every list of the demo.
var all = store.Page{Limit: 10_000}

// document returns the merged document of a session with its conflicts.
func document(t *testing.T, s demo, org firemode.OrgID, id firemode.SessionID) string {
	t.Helper()
	var sink paper
	must(t, s.Views.Results(asAdmin(t, org), view.Query{Session: id}, &sink))
	must(t, sink.document.End())
	return sink.String() + sink.conflicts.String()
}

// paper is a sessions.Sink that keeps the document and the conflicts.
type paper struct {
	bytes.Buffer
	document  *crdt.Composer
	conflicts strings.Builder
}

func (p *paper) Begin(view.Header) error   { p.document = crdt.NewComposer(p); return nil }
func (p *paper) Leaf(r crdt.Reading) error { return p.document.Leaf(r) }
func (*paper) Removed(crdt.Pointer) error  { return errors.New("a whole document removes nothing") }
func (*paper) Late(ledger.Entry) error     { return errors.New("nothing is late") }

func (p *paper) Conflict(c ledger.Conflict) error {
	var values []string
	for _, v := range c.Values {
		values = append(values, fmt.Sprint(v.Dot, "=", v.Value, " by ", v.User))
	}
	slices.Sort(values)
	_, err := fmt.Fprintf(&p.conflicts, "\nconflict %s %s %s", c.Path, c.Kind, strings.Join(values, ", "))
	return err
}
