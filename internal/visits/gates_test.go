package visits_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"firemode"
	"firemode/internal/record/recordtest"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
	"firemode/internal/store/storetest/pgtest"
	"firemode/internal/visits"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestPatch_NothingMissing_Completed(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s, []firemode.ItemID{"E1"})
		w.Submit("a", 1, `{"op":"set","path":"/items/E1/outcome","value":"pass"}`)
		d, err := w.complete(visits.Patch{})
		if err != nil || d.Status != firemode.SessionCompleted || d.CompletedAt.IsZero() {
			t.Errorf("%+v, error %v", d.Session, err)
		}
	})
}

func TestPatch_GateOfAnotherFeatureRefuses_Conflict(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		var asked visits.Completion
		gate := gateFunc(func(tx store.ReadTx, c visits.Completion) ([]firemode.Detail, error) {
			asked = c
			_, err := store.As[store.SessionReader](tx).Session(t.Context(), c.Session.Org, c.Session.ID)
			return []firemode.Detail{{Field: "report", Reason: "is not signed"}}, err
		})
		w := newWorld(t, s, []firemode.ItemID{"E1"}, gate)
		w.Submit("a", 1, `{"op":"set","path":"/items/E1/outcome","value":"pass"}`)
		_, err := w.complete(visits.Patch{AcceptGaps: true, Reason: "lost"})
		wantRefusal(t, err, firemode.Detail{Field: "report", Reason: "is not signed"})
		if asked.Session.ID != recordtest.Session || asked.Head.Seq != 1 || !asked.AcceptGaps || asked.Reason != "lost" {
			t.Errorf("the gate was asked for %+v", asked)
		}
	})
}

func TestPatch_SeveralGatesRefuse_DetailsInOrderOfGates(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		gate := func(field string) visits.Gate {
			return gateFunc(func(store.ReadTx, visits.Completion) ([]firemode.Detail, error) {
				return []firemode.Detail{{Field: field, Reason: "missing"}}, nil
			})
		}
		w := newWorld(t, s, []firemode.ItemID{"E1", "E2"}, gate("evidence"), gate("report"))
		w.Submit("a", 1, `{"op":"set","path":"/items/E1/outcome","value":"fail"}`)
		w.Submit("b", 2, `{"op":"set","path":"/items/E1/outcome","value":"pass"}`)
		_, err := w.complete(visits.Patch{})
		wantRefusal(
			t, err,
			firemode.Detail{Field: "items/E1", Reason: "readings are in dispute"},
			firemode.Detail{Field: "items/E2", Reason: "untouched"},
			firemode.Detail{Field: "/items/E1/outcome", Reason: "2 readings are in dispute (value)"},
			firemode.Detail{
				Field:  "clients/b",
				Reason: "batches [[1 1]] have not arrived; a manager may accept that with accept_gaps and a reason",
			},
			firemode.Detail{Field: "evidence", Reason: "missing"},
			firemode.Detail{Field: "report", Reason: "missing"},
		)
	})
}

func TestPatch_ThousandsOfRefusals_FirstThousandDetails(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t), nil, gateFunc(func(store.ReadTx, visits.Completion) (all []firemode.Detail, _ error) {
		for i := range 2500 {
			all = append(all, firemode.Detail{Field: fmt.Sprint(i), Reason: "missing"})
		}
		return all, nil
	}))
	w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
	_, err := w.complete(visits.Patch{})
	var refused *firemode.Error
	if !errors.As(err, &refused) || len(refused.Details) != 1000 || refused.Details[999].Field != "999" {
		t.Errorf("%d details, error %v", len(refused.Details), err)
	}
}

func TestPatch_GateFails_ItsErrorAndNothingCompleted(t *testing.T) {
	broken := errors.New("disk on fire")
	w := newWorld(t, storetest.OpenSQLite(t), nil, gateFunc(func(store.ReadTx, visits.Completion) ([]firemode.Detail, error) {
		return nil, broken
	}))
	w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
	if _, err := w.complete(visits.Patch{}); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	d, err := w.visits.Get(recordtest.As(t, "mary", firemode.RoleManager), recordtest.Session)
	if err != nil || d.Status != firemode.SessionActive {
		t.Errorf("status %s, error %v", d.Status, err)
	}
}

func TestPatch_Gaps_CompletedOnlyWithReason(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s, nil)
		w.Submit("a", 2, `{"op":"set","path":"/x","value":1}`)
		gap := firemode.Detail{
			Field:  "clients/a",
			Reason: "batches [[1 1]] have not arrived; a manager may accept that with accept_gaps and a reason",
		}
		for _, patch := range []visits.Patch{{}, {AcceptGaps: true}, {AcceptGaps: true, Reason: " "}, {Reason: "lost"}} {
			_, err := w.complete(patch)
			wantRefusal(t, err, gap)
		}
		d, err := w.complete(visits.Patch{AcceptGaps: true, Reason: "phone lost"})
		if err != nil || d.Status != firemode.SessionCompleted || d.Reason != "phone lost" {
			t.Errorf("%+v, error %v", d.Session, err)
		}
	})
}

// world is a session with the service that completes it.
type world struct {
	*recordtest.World
	t      *testing.T
	visits *visits.Service
}

func newWorld(t *testing.T, s store.Database, items []firemode.ItemID, gates ...visits.Gate) *world {
	t.Helper()
	w := recordtest.New(t, s, items)
	v, err := visits.New(s, visits.Config{
		NewID: recordtest.NewID, Rand: rand.Reader, Rules: recordtest.Rules{}, Merge: w.Merge, Gates: gates,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{w, t, v}
}

// complete completes the session as a manager.
func (w *world) complete(patch visits.Patch) (visits.Detail, error) {
	completed := firemode.SessionCompleted
	patch.Status = &completed
	return w.visits.Patch(recordtest.As(w.t, "mary", firemode.RoleManager), recordtest.Session, "*", patch)
}

type gateFunc func(store.ReadTx, visits.Completion) ([]firemode.Detail, error)

func (f gateFunc) Refusals(_ context.Context, tx store.ReadTx, c visits.Completion) ([]firemode.Detail, error) {
	return f(tx, c)
}

// wantRefusal fails unless err is a Conflict with these details.
func wantRefusal(t *testing.T, err error, details ...firemode.Detail) {
	t.Helper()
	var refused *firemode.Error
	if !errors.As(err, &refused) || refused.Code != firemode.CodeConflict || !slices.Equal(refused.Details, details) {
		t.Errorf("error %v with details %+v, want a conflict with %+v", err, refused, details)
	}
}
