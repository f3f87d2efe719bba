package client

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"firemode/internal/record/crdt"
)

func TestAcknowledge_Receipts_SettleBatchesAndReopenMissingOnes(t *testing.T) {
	s := queued(3)
	equal(t, "queued", chain(s), []string{"tablet/1/b1<!", "tablet/2/b2<b1!", "tablet/3/b3<b2!"})
	s.Acknowledge(s.Batches[0], Receipt{})
	equal(t, "one is in", chain(s), []string{"tablet/1/b1<", "tablet/2/b2<b1!", "tablet/3/b3<b2!"})
	s.Acknowledge(s.Batches[2], Receipt{Missing: Ranges{{1, 2}}})
	equal(t, "the server misses two", chain(s), []string{"tablet/1/b1<!", "tablet/2/b2<b1!", "tablet/3/b3<b2"})
	if n := len(s.Pending()); n != 2 {
		t.Errorf("%d pending", n)
	}
}

func TestFork_PendingBatches_RenumberedWithTheirChain(t *testing.T) {
	s := queued(3)
	s.Cursor = "c"
	s.Acknowledge(s.Batches[0], Receipt{})
	s.Fork("fresh")
	s.Queue([]Change{Remove("/a")}, noon, func() string { return "b4" })
	equal(t, "forked", chain(s), []string{"tablet/1/b1<", "fresh/1/b2<b1!", "fresh/2/b3<b2!", "fresh/3/b4<b3!"})
	if s.Cursor != "" {
		t.Errorf("the cursor is still %q", s.Cursor)
	}
	if key := s.Batches[1].Key(); key != "fresh:b2" {
		t.Errorf("the key is %q", key)
	}
}

func TestShow_NewEpoch_LostBatchesArePendingAndOthersDoubted(t *testing.T) {
	s := queued(3)
	for _, b := range slices.Clone(s.Batches) {
		s.Acknowledge(b, Receipt{})
	}
	restored := Results{Clock: Clock{"tablet": 1}, Epoch: 1, Complete: true, Document: jsontext.Value("{}")}
	must(t, s.Show(restored, true))
	equal(t, "after the restore", chain(s), []string{"tablet/1/b1<?", "tablet/2/b2<b1!", "tablet/3/b3<b2!"})
	s.Acknowledge(s.Batches[0], Receipt{})
	equal(t, "one was there", chain(s), []string{"tablet/1/b1<", "tablet/2/b2<b1!", "tablet/3/b3<b2!"})
}

func TestQueue_ShownLater_NotPartOfTheSeenClock(t *testing.T) {
	s := queued(0)
	first := Results{Clock: Clock{"other": 3, "tablet": 7}, Complete: true, Document: jsontext.Value("{}")}
	must(t, s.Show(first, true))
	s.Queue([]Change{Remove("/a")}, noon, func() string { return "b1" })
	must(t, s.Show(Results{Clock: Clock{"other": 9}, Complete: true, Document: jsontext.Value("{}")}, false))
	sent := s.Batches[0].Submission(noon.Add(time.Hour)).Meta
	text, err := json.Marshal(sent, json.Deterministic(true))
	want := `{"client_id":"tablet","client_type":"go","batch_id":"b1","vector_clock":{"other":3,"tablet":1},` +
		`"captured_at":"2026-11-20T12:00:00Z","sent_at":"2026-11-20T13:00:00Z"}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

func TestAcknowledge_RejectedTwice_OneRefusal(t *testing.T) {
	s := queued(1)
	r := Receipt{Results: []ChangeResult{{Index: 0, Status: "rejected", Reason: "no"}}}
	s.Acknowledge(s.Batches[0], r)
	s.Acknowledge(s.Batches[0], r)
	if len(s.Rejected) != 1 || s.Rejected[0].Reason != "no" || s.Rejected[0].Change.Path != "/a" ||
		len(s.Pending()) != 0 {
		t.Errorf("%+v", s.Rejected)
	}
}

func TestQueue_MoreThanTheLimit_SeveralBatches(t *testing.T) {
	s := queued(0)
	s.Queue(make([]Change, 2*crdt.MaxChanges+1), noon, func() string { return fmt.Sprint("x", s.Number) })
	var sizes []int
	for _, b := range s.Batches {
		sizes = append(sizes, len(b.Changes))
	}
	if !slices.Equal(sizes, []int{crdt.MaxChanges, crdt.MaxChanges, 1}) || s.Batches[2].PrevID != s.Batches[1].ID {
		t.Errorf("batches of %v changes", sizes)
	}
}

func TestShow_Deltas_ReplaceDocumentAndConflicts(t *testing.T) {
	conflict := func(p Pointer) Conflict { return Conflict{ID: "c", Path: p} }
	for _, c := range []struct {
		name, page, want string
		removed          []Pointer
		conflicts        []string // left of those at /a, /a/b, /a/b/c, /x
	}{
		{"nothing", `{}`, `{"a":{"b":{"c":1,"d":2}},"x":3}`, nil, []string{"/a", "/a/b", "/a/b/c", "/x"}},
		{"a leaf", `{"a":{"b":{"c":9}}}`, `{"a":{"b":{"c":9,"d":2}},"x":3}`, nil, []string{"/x"}},
		{"a value above", `{"a":{"b":9}}`, `{"a":{"b":9},"x":3}`, nil, []string{"/x"}},
		{
			"values below", `{"x":{"y":{"z":9}}}`, `{"a":{"b":{"c":1,"d":2}},"x":{"y":{"z":9}}}`,
			nil,
			[]string{"/a", "/a/b", "/a/b/c"},
		},
		{"a removal", `{}`, `{"a":{"b":{"d":2}},"x":3}`, []Pointer{"/a/b/c"}, []string{"/x"}},
		{"the last below", `{}`, `{"x":3}`, []Pointer{"/a/b/c", "/a/b/d"}, []string{"/x"}},
		{"all below a path", `{}`, `{"x":3}`, []Pointer{"/a/b"}, []string{"/x"}},
		{
			"a leaf beside a conflict", `{"a":{"e":9}}`, `{"a":{"b":{"c":1,"d":2},"e":9},"x":3}`,
			nil,
			[]string{"/a/b", "/a/b/c", "/x"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := queued(0)
			first := Results{
				Document:  jsontext.Value(`{"x":3,"a":{"b":{"d":2,"c":1}}}`),
				Conflicts: []Conflict{conflict("/a"), conflict("/a/b"), conflict("/a/b/c"), conflict("/x")},
			}
			must(t, s.Show(first, true))
			must(t, s.Show(Results{Document: jsontext.Value(c.page), Removed: c.removed}, false))
			if got := mustJSON(t, s.Document); got != c.want {
				t.Errorf("shows %s, want %s", got, c.want)
			}
			var left []string
			for _, p := range []Pointer{"/a", "/a/b", "/a/b/c", "/x"} {
				if _, open := s.Conflicts[p]; open {
					left = append(left, string(p))
				}
			}
			equal(t, "conflicts", left, c.conflicts)
		})
	}
}

func TestClone_State_EqualAndIndependent(t *testing.T) {
	s := queued(2)
	s.Acknowledge(s.Batches[0], Receipt{Results: []ChangeResult{{Status: "rejected", Reason: "no"}}})
	s.Batches[1].Changes[0].Instrument = &Instrument{ID: "G-17"}
	page := Results{
		Cursor: "c", Clock: Clock{"other": 3}, Complete: true,
		Document: jsontext.Value(`{"a":{"~/":12.50,"b":"<é>"}}`),
		Conflicts: []Conflict{{
			ID: "c1", Path: "/a/b", Values: []Sibling{{Dot: "x:1:0", Value: jsontext.Value("1"), ReceivedAt: noon}},
		}},
	}
	must(t, s.Show(page, true))
	copied, err := s.Clone()
	must(t, err)
	stored, err := json.Marshal(s, json.Deterministic(true))
	must(t, err)
	again, err := json.Marshal(copied, json.Deterministic(true))
	must(t, err)
	if string(stored) != string(again) {
		t.Errorf("stored %s\nrestored %s", stored, again)
	}
	copied.Queue([]Change{Remove("/a")}, noon, func() string { return "b3" })
	copied.Document.Put("/a/b", jsontext.Value("0"))
	if after, _ := json.Marshal(s, json.Deterministic(true)); string(after) != string(stored) {
		t.Error("the copy shares something with what it was copied from")
	}
}

// queued returns a state with n queued batches: b1, b2, ….
func queued(n int) *State {
	s := &State{Session: "s", Client: "tablet"}
	for i := range n {
		s.Queue([]Change{Set("/a", Text(fmt.Sprint(i)))}, noon, func() string { return fmt.Sprintf("b%d", i+1) })
	}
	return s
}

// chain lists the batches as client/number/id<previous, with a ! after a pending and a ? after a
// doubted one.
func chain(s *State) []string {
	var all []string
	for _, b := range s.Batches {
		text := fmt.Sprintf("%s/%d/%s<%s", b.Client, b.Number, b.ID, b.PrevID)
		if !b.Acknowledged {
			text += "!"
		}
		if b.Doubted {
			text += "?"
		}
		all = append(all, text)
	}
	return all
}

// mustJSON returns v as JSON.
func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v, json.Deterministic(true))
	must(t, err)
	return string(text)
}
