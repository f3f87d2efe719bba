package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"firemode"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

var results = ledger.SessionRef{Org: "o", Session: "s-0000"}

// locked runs fn with the session under lock, as writers of results do.
func locked(t testing.TB, s store.Database, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		_, err := store.As[store.SessionWriter](tx).LockSessions(ctx, "o", []firemode.SessionID{"s-0000"})
		return errors.Join(err, fn(ctx, tx))
	})
}

func insertEntries(t testing.TB, s store.Database, batches ...ledger.Entry) {
	t.Helper()
	locked(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.EntryWriter](tx).InsertEntries(ctx, results, batches)
	})
}

// logEntry is entry seq of a log: the batch of an actor, with everything that can be told from its
// zero value.
func logEntry(seq int64, actor crdt.ActorID, number int64) ledger.Entry {
	return ledger.Entry{
		Seq: seq, Kind: ledger.EntryChanges, Actor: actor, Number: number, ID: fmt.Sprint("batch ", number),
		PrevID: awkward, Content: []byte{0, 255, byte(seq)},
		Key: "key " + fmt.Sprint(number), User: "u1", SubmittedBy: "u2", Client: "tab", ClientType: "web",
		CapturedAt: day(1), SentAt: day(2),
		ReceivedAt: day(int(seq)), Context: crdt.Clock{"other": 1 << 53},
		Changes:  []byte(`[{"op":"set","path":"/x","value":12.50}]`),
		Outcomes: []ledger.Outcome{{Status: "rejected", Reason: awkward, Time: -1, Flags: []string{"unlisted"}}},
		Flags:    []string{"clock_clamped"},
		Prev:     []byte{1}, Hash: []byte{2, byte(seq)}, MergedSeq: seq, PrefixSeq: seq,
	}
}

func statusEntry(seq int64) ledger.Entry {
	return ledger.Entry{
		Seq: seq, Kind: ledger.EntryStatus, User: "u1", ReceivedAt: day(int(seq)),
		Changes: []byte(`{"status":"completed"}`), Hash: []byte{9}, MergedSeq: seq,
	}
}

// bare is b as it is read without its changes.
func bare(b ledger.Entry) ledger.Entry {
	b.Changes = nil
	return b
}

func logOf(t testing.TB, s store.Database, from int64) (log []ledger.Entry) {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]ledger.Entry, error) {
		err := store.As[store.EntryReader](tx).EachEntry(ctx, results, from, func(b ledger.Entry) error {
			log = append(log, b)
			return nil
		})
		return log, err
	})
}

func resultTests() []test {
	return []test{
		{"a log entry comes back as it was written", func(t *testing.T, s store.Database) {
			createSessions(t, s, 2)
			log := []ledger.Entry{
				logEntry(1, "a", 1), statusEntry(2), logEntry(3, "a", 2), logEntry(4, "~u1", 1),
				statusEntry(5),
			}
			insertEntries(t, s, log...)
			equal(t, logOf(t, s, 0), log)
			equal(t, logOf(t, s, 3), log[2:])
			equal(t, logOf(t, s, 6), nil)
		}},
		{"a place in the log, and a number of an actor, is taken once", func(t *testing.T, s store.Database) {
			createSessions(t, s, 1)
			insertEntries(t, s, logEntry(1, "a", 1), statusEntry(2))
			for _, again := range []ledger.Entry{logEntry(2, "b", 1), logEntry(3, "a", 1), statusEntry(1)} {
				refuse(t, s, firemode.CodeConflict, func(ctx context.Context, tx store.Tx) error {
					return store.As[store.EntryWriter](tx).InsertEntries(ctx, results, []ledger.Entry{logEntry(9, "z",
						1), again})
				})
			}
			equal(t, len(logOf(t, s, 0)), 2)
		}},
		{"EachEntry goes through a long log in order, and stops at the first error", longLog},
		{"batches are found by number, by key and by id", findBatches},
		{"a hash is found by its place", func(t *testing.T, s store.Database) {
			createSessions(t, s, 1)
			insertEntries(t, s, logEntry(1, "a", 1), logEntry(2, "a", 2), statusEntry(3))
			_, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) ([]byte, error) {
				return store.As[store.EntryReader](tx).EntryHash(ctx, results, 4)
			})
			wantCode(t, err, firemode.CodeNotFound)
			equal(t, read(t, s, func(ctx context.Context, tx store.ReadTx) ([]byte, error) {
				return store.As[store.EntryReader](tx).EntryHash(ctx, results, 2)
			}), []byte{2, 2})
			equal(t, read(t, s, func(ctx context.Context, tx store.ReadTx) ([][]byte, error) {
				return store.As[store.EntryReader](tx).EntryHashes(ctx, results, 2)
			}), [][]byte{{2, 1}, {2, 2}})
		}},
		{"what is late waits until it is marked as merged", lateBatches},
		{"runs and clocks are as of a number, moments as of a receipt", runsAndClocks},
		{"a batch in quarantine is kept once", quarantine},
		{"the defects of some items", func(t *testing.T, s store.Database) {
			a, b, other := newDefect("d1", 1), newDefect("d2", 2), newDefect("d3", 3)
			b.Item, other.Session = "i2", "s-0001"
			createDefects(t, s, a, b, other)
			got := func(items ...firemode.ItemID) []firemode.Defect {
				list := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Defect, error) {
					return store.As[store.DefectReader](tx).DefectsOfItems(ctx, results, items)
				})
				slices.SortFunc(list, func(a, b firemode.Defect) int { return a.FoundAt.Compare(b.FoundAt) })
				return list
			}
			equal(t, got("i", "i2", "i9"), []firemode.Defect{a, b})
			equal(t, got("i2"), []firemode.Defect{b})
			equal(t, len(got()), 0)
		}},
	}
}

func longLog(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	var log []ledger.Entry
	for n := range int64(350) {
		log = append(log, logEntry(n+1, "a", n+1))
	}
	for i := range 5 { // more than is held at a time, in the midst of the others
		log[120+i].Changes = []byte(`["` + strings.Repeat("x", 3<<20) + `"]`)
	}
	insertEntries(t, s, log...)
	equal(t, logOf(t, s, 101), log[100:])
	equal(t, logOf(t, s, 122), log[121:])
	enough, seen := errors.New("enough"), 0
	_, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) (int, error) {
		return 0, store.As[store.EntryReader](tx).EachEntry(ctx, results, 0, func(ledger.Entry) error {
			if seen++; seen == 120 {
				return enough
			}
			return nil
		})
	})
	if !errors.Is(err, enough) || seen != 120 {
		t.Errorf("%d entries, then %v", seen, err)
	}
}

func findBatches(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	a1, b1, a2, again, naive := logEntry(1, "a", 1), logEntry(2, "b", 1), logEntry(3, "a", 2), logEntry(4, "a", 3),
		logEntry(5, "a~s", 1)
	again.ID = a2.ID
	a1.Key, b1.Key, a2.Key = "", "", ""
	insertEntries(t, s, a1, b1, a2, again, naive, statusEntry(6))
	sorted := func(list []ledger.Entry, err error) ([]ledger.Entry, error) {
		slices.SortFunc(list, func(a, b ledger.Entry) int { return int(a.Seq - b.Seq) })
		return list, err
	}
	byRef := func(refs ...ledger.BatchRef) []ledger.Entry {
		return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]ledger.Entry, error) {
			return sorted(store.As[store.EntryReader](tx).Entries(ctx, results, refs))
		})
	}
	equal(t, byRef(ledger.BatchRef{Actor: "a", Number: 2}, ledger.BatchRef{Actor: "b", Number: 1},
		ledger.BatchRef{Actor: "b", Number: 2}, ledger.BatchRef{}), []ledger.Entry{bare(b1), bare(a2)})
	equal(t, byRef(), nil)
	byKey := func(keys ...ledger.BatchKey) []ledger.Entry {
		return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]ledger.Entry, error) {
			return sorted(store.As[store.EntryReader](tx).EntriesByKey(ctx, results, keys))
		})
	}
	equal(t, byKey(ledger.BatchKey{Actor: "a~s", Key: "key 1"}, ledger.BatchKey{Actor: "b", Key: "key 1"},
		ledger.BatchKey{Actor: "a"}), []ledger.Entry{bare(naive)})
	byID := func(actor crdt.ActorID, id string) (ledger.Entry, error) {
		return tryRead(t, s, func(ctx context.Context, tx store.ReadTx) (ledger.Entry, error) {
			return store.As[store.EntryReader](tx).EntryByBatchID(ctx, results, actor, id)
		})
	}
	last, err := byID("a", "batch 2")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, last, bare(again))
	_, err = byID("b", "batch 2")
	wantCode(t, err, firemode.CodeNotFound)
}

func lateBatches(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	merged, late, later := logEntry(1, "a", 1), logEntry(2, "a", 2), logEntry(3, "b", 1)
	late.MergedSeq, later.MergedSeq = 0, 0
	insertEntries(t, s, merged, late, later)
	waiting := func() []ledger.Entry {
		return read(t, s, func(ctx context.Context, tx store.ReadTx) (late []ledger.Entry, err error) {
			err = store.As[store.EntryReader](tx).EachLateEntry(ctx, results, func(b ledger.Entry) error {
				late = append(late, b)
				return nil
			})
			return late, err
		})
	}
	equal(t, waiting(), []ledger.Entry{late, later})
	locked(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.EntryWriter](tx).MarkMerged(ctx, results, []int64{2, 9}, 7)
	})
	late.MergedSeq = 7
	equal(t, waiting(), []ledger.Entry{later})
	equal(t, logOf(t, s, 0), []ledger.Entry{merged, late, later})
	locked(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.EntryWriter](tx).MarkMerged(ctx, results, nil, 8)
	})
	equal(t, logOf(t, s, 0), []ledger.Entry{merged, late, later})
}

// runsAndClocks has a with 1 at 1, 3 at 2 and the hole closed at 4, b with a late 1 that is merged
// at 6, and c above a hole for ever.
func runsAndClocks(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	a3, b1, c2 := logEntry(2, "a", 3), logEntry(5, "b", 1), logEntry(3, "c", 2)
	a3.PrefixSeq, b1.PrefixSeq, b1.MergedSeq, c2.PrefixSeq = 0, 0, 0, 0
	insertEntries(t, s, logEntry(1, "a", 1), a3, c2, logEntry(4, "a", 2), b1, statusEntry(6))
	locked(t, s, func(ctx context.Context, tx store.Tx) error {
		return errors.Join(
			store.As[store.ActorWriter](tx).SaveActors(ctx, results, []ledger.Actor{{ID: "a", User: "u"}, {
				ID:   "b",
				User: "u",
			}, {ID: "c", User: "u"}, {ID: "idle", User: "u"}}),
			store.As[store.EntryWriter](tx).SetPrefixes(ctx, results, []store.PrefixChange{{
				Actor: "a", From: 2, To: 3,
				Seq: 4,
			}, {Actor: "b", From: 1, To: 1, Seq: 6}}),
			store.As[store.EntryWriter](tx).MarkMerged(ctx, results, []int64{5}, 6),
		)
	})
	for seq, want := range []crdt.Clock{
		{},
		{"a": 1},
		{"a": 1},
		{"a": 1},
		{"a": 3},
		{"a": 3},
		{"a": 3, "b": 1},
		{"a": 3, "b": 1},
	} {
		seq := int64(seq)
		equal(t, read(t, s, func(ctx context.Context, tx store.ReadTx) (crdt.Clock, error) {
			return store.As[store.HeadReader](tx).ClockAt(ctx, results, seq)
		}), want)
		asks := []store.PrefixAsk{
			{Actor: "b", Seq: seq},
			{Actor: "a", Seq: seq},
			{Actor: "c", Seq: seq},
			{Actor: "nobody", Seq: seq},
			{Actor: "a", Seq: 1},
		}
		runs := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]int64, error) {
			return store.As[store.HeadReader](tx).Prefixes(ctx, results, asks)
		})
		equal(t, runs, []int64{want["b"], want["a"], 0, 0, 1})
	}
	for at, want := range map[time.Time]int64{
		day(0): 0, day(1): 1, day(2).Add(-time.Microsecond): 1, day(5): 5,
		day(6).Add(-time.Microsecond): 5, day(99): 6,
	} {
		equal(t, read(t, s, func(ctx context.Context, tx store.ReadTx) (int64, error) {
			return store.As[store.HeadReader](tx).SeqAt(ctx, results, at)
		}), want)
	}
}

func quarantine(t *testing.T, s store.Database) {
	createSessions(t, s, 1)
	q := ledger.Quarantined{
		Actor: "a", Number: 3, Content: []byte{0, 255}, ID: "id", PrevID: awkward, Fresh: "f-1", User: "u1",
		ReceivedAt: day(1), Changes: []byte(`[{"v":1.0}]`), Reason: "forked", Hash: []byte{7},
	}
	other, again := q, q
	other.Fresh, again.ReceivedAt = "f-2", day(2)
	for _, in := range []ledger.Quarantined{q, again, other} {
		locked(t, s, func(ctx context.Context, tx store.Tx) error {
			return store.As[store.EntryWriter](tx).InsertQuarantined(ctx, results, in)
		})
	}
	var kept []ledger.Quarantined
	read(t, s, func(ctx context.Context, tx store.ReadTx) (int, error) {
		return 0, store.As[store.EntryReader](tx).EachQuarantined(ctx, results, func(q ledger.Quarantined) error {
			kept = append(kept, q)
			return nil
		})
	})
	slices.SortFunc(kept, func(a, b ledger.Quarantined) int {
		return strings.Compare(string(a.Fresh),
			string(b.Fresh))
	})
	equal(t, kept, []ledger.Quarantined{q, other})
}
