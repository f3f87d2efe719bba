package verify_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/record/recordtest"
	"firemode/internal/record/verify"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestRun_Recomputer_CalledInOrder(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.note("action 1")
		w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
		w.Submit("a", 2, `{"op":"set","path":"/x","value":2}`)
		w.note("action 2")
		r := &recomputer{}
		w.run(r)
		want := []string{
			"shared: organisation",
			"o: audit session.create", "o: audit action 1", "o: audit action 2", "o: organisation",
			"session visit, audited true, newer []",
			"before 1", "before 2", "before end", "compare 2 stored and 2 rebuilt entries",
		}
		if !slices.Equal(r.calls, want) {
			t.Errorf("called\n%s\nwant\n%s", strings.Join(r.calls, "\n"), strings.Join(want, "\n"))
		}
		if !slices.Equal(w.found, nil) || w.totals != (verify.Totals{Sessions: 1, Entries: 2}) {
			t.Errorf("found %q in %+v", w.found, w.totals)
		}
		progress := []string{
			"shared catalogue: 0 audit entries", "shared catalogue: 0 notes", "o: 3 audit entries", "o: 2 notes",
			"o: session visit with 2 log entries",
		}
		if !slices.Equal(w.progress, progress) {
			t.Errorf("progress %q, want %q", w.progress, progress)
		}
	})
}

func TestRun_RecomputerReports_PlaceIsNamed(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.run(&recomputer{organisation: func(report verify.Report) error {
			report("notes", "one is missing")
			return nil
		}, compare: func(report verify.Report) error {
			report("notes 7", "it differs")
			return nil
		}})
		want := []string{
			"shared catalogue notes: one is missing", "o notes: one is missing", "o session visit, notes 7: it differs",
		}
		if !slices.Equal(w.found, want) {
			t.Errorf("found %q, want %q", w.found, want)
		}
	})
}

func TestRun_RecomputerFails_ErrorReturned(t *testing.T) {
	broken := errors.New("broken")
	for name, r := range map[string]*recomputer{
		"organisation": {organisation: func(verify.Report) error { return broken }},
		"compare":      {compare: func(verify.Report) error { return broken }},
	} {
		w := newWorld(t, storetest.OpenSQLite(t))
		if w.run(r); !errors.Is(w.err, broken) {
			t.Errorf("%s: error %v, want %v", name, w.err, broken)
		}
	}
}

func TestRun_RecomputerMeetsDamagedRow_ReportedAndRestVerified(t *testing.T) {
	damage := &store.Damage{Table: "notes", Err: errors.New("not JSON")}
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.run(&recomputer{
			organisation: func(verify.Report) error { return fmt.Errorf("read: %w", damage) },
			compare:      func(verify.Report) error { return damage },
		})
		want := []string{
			"shared catalogue notes: a row cannot be read, so the rest was not verified: not JSON",
			"o notes: a row cannot be read, so the rest was not verified: not JSON",
			"o session visit, notes: a row cannot be read, so the rest was not verified: not JSON",
		}
		if w.err != nil || !slices.Equal(w.found, want) || w.totals.Sessions != 1 {
			t.Errorf("found %q, error %v, %+v, want %q", w.found, w.err, w.totals, want)
		}
	})
}

func TestRun_EntryWrittenMeanwhile_GivenAsNewer(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		r := &recomputer{}
		wrote := false
		r.session = func() {
			if !wrote {
				t.Error("the audit log was not verified first")
			}
		}
		r.organisation = func(verify.Report) error {
			if r.org == recordtest.Org {
				wrote = true
				w.note("meanwhile")
			}
			return nil
		}
		w.run(r)
		if want := "session visit, audited true, newer [meanwhile]"; w.err != nil || !slices.Contains(r.calls, want) {
			t.Errorf("error %v, called %q, want %q", w.err, r.calls, want)
		}
	})
}

func TestSession_NoAuditLog_RecomputerNotAudited(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		r := &recomputer{}
		w.Recomputers = []verify.Recomputer{r}
		ref := ledger.SessionRef{Org: recordtest.Org, Session: recordtest.Session}
		if err := w.Session(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		want := []string{"session visit, audited false, newer []", "before end", "compare 0 stored and 0 rebuilt entries"}
		if !slices.Equal(r.calls, want) {
			t.Errorf("called %q, want %q", r.calls, want)
		}
	})
}

// recomputer recomputes nothing: it notes how it is called.
type recomputer struct {
	calls        []string
	notes        int
	org          firemode.OrgID
	organisation func(verify.Report) error
	session      func()
	compare      func(verify.Report) error
}

func (r *recomputer) Recompute(org firemode.OrgID) verify.Recomputation {
	r.org, r.notes = org, 0
	return r
}

func (r *recomputer) add(format string, args ...any) {
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
}

func (r *recomputer) name() string {
	if r.org == "" {
		return "shared"
	}
	return string(r.org)
}

func (r *recomputer) Audit(e ledger.AuditEntry) {
	r.add("%s: audit %s", r.name(), e.Action)
	if strings.HasPrefix(e.Action, "action") {
		r.notes++
	}
}

func (r *recomputer) Organisation(_ context.Context, _ store.ReadTx, report verify.Report) (string, error) {
	r.add("%s: organisation", r.name())
	var err error
	if r.organisation != nil {
		err = r.organisation(report)
	}
	return fmt.Sprintf("%d notes", r.notes), err
}

func (r *recomputer) Session(s verify.SessionScope) verify.SessionRecomputation {
	newer := []string{}
	for _, e := range s.Newer {
		newer = append(newer, e.Action)
	}
	r.add("session %s, audited %t, newer %v", s.Session.ID, s.Audited, newer)
	if r.session != nil {
		r.session()
	}
	return sessionRecomputer{r, s}
}

type sessionRecomputer struct {
	*recomputer
	scope verify.SessionScope
}

func (r sessionRecomputer) Before(_ context.Context, _ store.Tx, seq int64) error {
	if seq > 1<<40 {
		r.add("before end")
	} else {
		r.add("before %d", seq)
	}
	return nil
}

func (r sessionRecomputer) Compare(ctx context.Context, stored, rebuilt store.ReadTx) error {
	var seqs [2]int64
	for i, tx := range []store.ReadTx{stored, rebuilt} {
		err := store.As[store.EntryReader](tx).EachEntry(ctx, ledger.RefOf(r.scope.Session), 1, func(e ledger.Entry) error {
			seqs[i] = e.Seq
			return nil
		})
		if err != nil {
			return err
		}
	}
	r.add("compare %d stored and %d rebuilt entries", seqs[0], seqs[1])
	if r.compare != nil {
		return r.compare(r.scope.Report)
	}
	return nil
}

// world is a session with what verifies it, and what came of that.
type world struct {
	*recordtest.World
	verify.Verifier
	t        *testing.T
	found    []string
	progress []string
	totals   verify.Totals
	err      error
}

func newWorld(t *testing.T, s store.Database) *world {
	t.Helper()
	w := &world{World: recordtest.New(t, s, []firemode.ItemID{"E1"}), t: t}
	w.Verifier = verify.Verifier{
		Store: s, Merge: w.World.Merge, Key: w.World.Verifier,
		Report:   func(where, what string) { w.found = append(w.found, where+": "+what) },
		Progress: func(line string) { w.progress = append(w.progress, line) },
		Scratch:  func(context.Context) (verify.Scratch, error) { return recordtest.Scratch(t), nil },
	}
	return w
}

// run verifies everything.
func (w *world) run(r verify.Recomputer) {
	w.Recomputers = []verify.Recomputer{r}
	w.totals, w.err = w.Run(w.t.Context(), verify.Scope{})
}

// note writes an audit entry.
func (w *world) note(action string) {
	w.t.Helper()
	err := w.World.Store.Update(w.t.Context(), func(tx store.Tx) error {
		by := firemode.Principal{Org: recordtest.Org, User: "mary"}
		return store.AppendActions(w.t.Context(), tx, by, store.Action{
			ID: firemode.AuditID(recordtest.NewID()), Name: action, Subject: "x", Data: map[string]any{},
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
