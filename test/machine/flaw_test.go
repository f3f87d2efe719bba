package machine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
	"firemode/test/race"
)

// The flaws are servers that are broken in one way each: a method of the transaction does not do
// what it promises.
type (
	forgetsAnswers struct {
		storetest.Wrapper
		store.ResponseWriter
	}
	deliversOnPost struct {
		storetest.Wrapper
		store.ActorWriter
	}
	forgetsDeliveries struct {
		storetest.Wrapper
		store.ActorWriter
	}
	losesAnOperation struct {
		storetest.Wrapper
		store.OpWriter
	}
	supersedesNothing struct {
		storetest.Wrapper
		store.OpWriter
	}
	losesABatch struct {
		storetest.Wrapper
		store.EntryWriter
	}
	losesCopies struct {
		storetest.Wrapper
		store.EntryWriter
	}
	leavesLateOnes struct {
		storetest.Wrapper
		store.EntryWriter
	}
	overlooksGaps struct {
		storetest.Wrapper
		store.ActorWriter
	}
	deliversOnBehalf struct {
		storetest.Wrapper
		store.EntryWriter
	}
	bindsToManagers struct {
		storetest.Wrapper
		store.ActorWriter
	}
	blamesManagers struct {
		storetest.Wrapper
		store.EntryWriter
	}
	conceals struct {
		storetest.Wrapper
		store.EntryWriter
	}
)

func (forgetsAnswers) SaveResponses(context.Context, []store.StoredResponse) error { return nil }

// SaveActors takes what a client has posted for a proof that it was given everything up to there.
func (f deliversOnPost) SaveActors(ctx context.Context, s ledger.SessionRef, actors []ledger.Actor) error {
	if err := f.ActorWriter.SaveActors(ctx, s, actors); err != nil {
		return err
	}
	for _, a := range actors {
		if err := f.Deliver(ctx, s, a.ID, max(a.PrefixSeq, a.Delivered)); err != nil {
			return err
		}
	}
	return nil
}

func (forgetsDeliveries) Deliver(context.Context, ledger.SessionRef, crdt.ActorID, int64) error {
	return nil
}

func (f losesAnOperation) InsertOps(ctx context.Context, s ledger.SessionRef, ops []ledger.Op) error {
	return f.OpWriter.InsertOps(ctx, s, ops[:max(0, len(ops)-1)])
}

func (supersedesNothing) UpdateOps(context.Context, ledger.SessionRef, []store.OpChange) error {
	return nil
}

// InsertEntries keeps that something was posted, and not what.
func (f losesABatch) InsertEntries(ctx context.Context, s ledger.SessionRef, batches []ledger.Entry) error {
	for i := range batches {
		batches[i].Changes, batches[i].Outcomes = []byte("[]"), nil
	}
	return f.EntryWriter.InsertEntries(ctx, s, batches)
}

func (losesCopies) InsertQuarantined(context.Context, ledger.SessionRef, ledger.Quarantined) error {
	return nil
}

func (leavesLateOnes) MarkMerged(context.Context, ledger.SessionRef, []int64, int64) error {
	return nil
}

// Actors never miss anything.
func (f overlooksGaps) SaveActors(ctx context.Context, s ledger.SessionRef, actors []ledger.Actor) error {
	for i := range actors {
		if n := actors[i].Held.Max(); n > 0 {
			actors[i].Held = crdt.Ranges{{1, n}}
		}
	}
	return f.ActorWriter.SaveActors(ctx, s, actors)
}

// InsertEntries takes what was submitted for somebody for a proof that their phone has what the
// manager has.
func (f deliversOnBehalf) InsertEntries(ctx context.Context, s ledger.SessionRef, batches []ledger.Entry) error {
	if err := f.EntryWriter.InsertEntries(ctx, s, batches); err != nil {
		return err
	}
	for _, b := range batches {
		if b.SubmittedBy != "" {
			if err := store.As[store.ActorWriter](f).Deliver(ctx, s, b.Actor, b.Seq-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// SaveActors gives the phones that have only been heard of through a manager to the manager.
func (f bindsToManagers) SaveActors(ctx context.Context, s ledger.SessionRef, actors []ledger.Actor) error {
	for i := range actors {
		first, err := store.As[store.EntryReader](f).Entries(
			ctx, s, []ledger.BatchRef{{Actor: actors[i].ID, Number: 1}},
		)
		if err != nil {
			return err
		}
		if len(first) > 0 && first[0].SubmittedBy != "" {
			actors[i].User = first[0].SubmittedBy
		}
	}
	return f.ActorWriter.SaveActors(ctx, s, actors)
}

// InsertEntries notes work as that of who submitted it.
func (f blamesManagers) InsertEntries(ctx context.Context, s ledger.SessionRef, batches []ledger.Entry) error {
	for i, b := range batches {
		if b.SubmittedBy != "" {
			batches[i].User, batches[i].SubmittedBy = b.SubmittedBy, ""
		}
	}
	return f.EntryWriter.InsertEntries(ctx, s, batches)
}

// InsertEntries does not tell at a change that somebody else submitted it.
func (f conceals) InsertEntries(ctx context.Context, s ledger.SessionRef, batches []ledger.Entry) error {
	for _, b := range batches {
		for i := range b.Outcomes {
			o := &b.Outcomes[i]
			o.Flags = slices.DeleteFunc(o.Flags, func(flag string) bool { return flag == "submitted_on_behalf" })
		}
	}
	return f.EntryWriter.InsertEntries(ctx, s, batches)
}

// reads is a server that reads the body of a POST as something else, where it is not compressed and
// has an end.
func reads(as func(body string, lines bool) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.Header.Get("Content-Encoding") == "" && r.ContentLength >= 0 {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					panic(err) // it is in memory
				}
				text := as(string(body), r.Header.Get("Content-Type") == mediaLines)
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
			}
			next.ServeHTTP(w, r)
		})
	}
}

func inPieces(body string, _ bool) string {
	return strings.Replace(body, `"atomic":true`, `"atomic":false`, 1)
}

func withoutLastLine(body string, lines bool) string {
	if end := strings.LastIndexByte(strings.TrimRight(body, "\r\n"), '\n'); lines && end >= 0 {
		return body[:end+1]
	}
	return body
}

// skipsALeaf is a server that leaves one out where it answers in lines, and does not know it.
func skipsALeaf(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		text := rec.Body.String()
		if before, after, found := strings.Cut(text, `{"leaf":`); found &&
			rec.Header().Get("Content-Type") == mediaLines {
			_, after, _ = strings.Cut(after, "\n")
			leaves := strings.Count(text, `{"leaf":`)
			text = before + strings.Replace(
				after, fmt.Sprintf(`"leaves":%d`, leaves), fmt.Sprintf(`"leaves":%d`, leaves-1), 1,
			)
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = io.WriteString(w, text)
	})
}

// The machine detects servers that are broken on purpose, each by the invariant that the flaw
// violates.
func TestMachine_BrokenServer_ViolatesItsInvariant(t *testing.T) {
	t.Parallel()
	if race.Histories(1, 0) == 0 {
		t.Skip("part of the long set of histories, which runs without the race detector")
	}
	c := &clock{at: start}
	s := newSite(t.Context(), t, newSQLite(t), c.now)
	number := 0
	for _, broken := range []struct {
		name     string
		flaw     func(store.Tx) store.Tx
		front    func(http.Handler) http.Handler
		unmarked bool
		caught   string // by which invariant
		script   int    // the first that does, to save time
	}{
		{"answers are not stored", func(tx store.Tx) store.Tx {
			return forgetsAnswers{storetest.Wrapper{Tx: tx}, store.As[store.ResponseWriter](tx)}
		}, nil, false, "I5", 0},
		{"a POST delivers", func(tx store.Tx) store.Tx {
			return deliversOnPost{storetest.Wrapper{Tx: tx}, store.As[store.ActorWriter](tx)}
		}, nil, false, "I6", 12},
		{"what was delivered is forgotten", func(tx store.Tx) store.Tx {
			return forgetsDeliveries{storetest.Wrapper{Tx: tx}, store.As[store.ActorWriter](tx)}
		}, nil, false, "I6", 0},
		{"an operation is lost", func(tx store.Tx) store.Tx {
			return losesAnOperation{storetest.Wrapper{Tx: tx}, store.As[store.OpWriter](tx)}
		}, nil, false, "I2", 0},
		{"what is superseded stays", func(tx store.Tx) store.Tx {
			return supersedesNothing{storetest.Wrapper{Tx: tx}, store.As[store.OpWriter](tx)}
		}, nil, false, "I2", 1},
		{"the log keeps less than what was posted", func(tx store.Tx) store.Tx {
			return losesABatch{storetest.Wrapper{Tx: tx}, store.As[store.EntryWriter](tx)}
		}, nil, false, "I1", 0},
		{"the batch of a copy is not kept", func(tx store.Tx) store.Tx {
			return losesCopies{storetest.Wrapper{Tx: tx}, store.As[store.EntryWriter](tx)}
		}, nil, false, "I1", 1},
		{"what is late stays late", func(tx store.Tx) store.Tx {
			return leavesLateOnes{storetest.Wrapper{Tx: tx}, store.As[store.EntryWriter](tx)}
		}, nil, false, "I2", 6},
		{"gaps are overlooked", func(tx store.Tx) store.Tx {
			return overlooksGaps{storetest.Wrapper{Tx: tx}, store.As[store.ActorWriter](tx)}
		}, nil, false, "I2", 1},
		{"a phone counts as having what a manager has", func(tx store.Tx) store.Tx {
			return deliversOnBehalf{storetest.Wrapper{Tx: tx}, store.As[store.EntryWriter](tx)}
		}, nil, false, "I6", 4},
		{"a phone becomes a manager's", func(tx store.Tx) store.Tx {
			return bindsToManagers{storetest.Wrapper{Tx: tx}, store.As[store.ActorWriter](tx)}
		}, nil, false, "I1", 2},
		{"work becomes a manager's", func(tx store.Tx) store.Tx {
			return blamesManagers{storetest.Wrapper{Tx: tx}, store.As[store.EntryWriter](tx)}
		}, nil, false, "I1", 2},
		{"it is not told that a manager submitted it", func(tx store.Tx) store.Tx {
			return conceals{storetest.Wrapper{Tx: tx}, store.As[store.EntryWriter](tx)}
		}, nil, false, "I1", 2},
		{"what is to be applied whole is applied in pieces", nil, reads(inPieces), false, "I1", 3},
		{"the last line of a body is lost", nil, reads(withoutLastLine), false, "I1", 0},
		{"a leaf is lost where lines are asked for", nil, skipsALeaf, false, "I3", 0},
		{"no new epoch after a restore", nil, nil, true, "I9", 5},
	} {
		t.Run(broken.name, func(t *testing.T) {
			s.flaw, s.front, s.unmarked = broken.flaw, broken.front, broken.unmarked
			must(t, s.restart(t.Context()))
			for i := range 40 {
				number++
				seed := (broken.script + i) % 40
				if err := s.follow(t.Context(), c, number, scripts.Example(seed)); err != nil {
					first, _, _ := strings.Cut(err.Error(), "\n")
					if !strings.Contains(first, broken.caught+" does not hold") {
						t.Fatalf("script %d: %v\nwant %s to find it", seed, err, broken.caught)
					}
					t.Logf("script %d: %s", seed, first)
					return
				}
			}
			t.Error("40 scripts did not find it")
		})
	}
}

// scripts are histories that are drawn before they are played.
var scripts = rapid.Custom(func(t *rapid.T) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return drawStep(t, rapid.SampledFrom(actions()).Draw(t, "do"))
	}), 30, 40).Draw(t, "script")
})

// follow plays a script.
func (s *site) follow(ctx context.Context, c *clock, number int, script []step) error {
	m, err := s.newMachine(ctx, c, number)
	if err != nil {
		return err
	}
	for _, one := range script {
		if err := m.step(one); err != nil {
			return err
		}
	}
	return nil
}
