package view_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"firemode"
	"firemode/internal/record/recordtest"
	"firemode/internal/record/view"
	"firemode/internal/store"
	"firemode/internal/store/storetest"
)

func TestResults_AtSeq_DocumentAsItWas(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
		w.Submit("b", 1, `{"op":"set","path":"/x","value":2}`, `{"op":"set","path":"/y","value":2}`)
		got := w.results(view.Query{AtSeq: 1})
		if !slices.Equal(got.calls, []string{"leaf /x 1"}) || got.Seq != 1 || !got.ChangedAt.IsZero() {
			t.Errorf("%q as of %d, changed at %s", got.calls, got.Seq, got.ChangedAt)
		}
		if _, err := w.as("tom", view.Query{AtSeq: 3}); firemode.CodeOf(err) != firemode.CodeInvalid {
			t.Errorf("after the end of the log: error %v, want invalid", err)
		}
		got = w.results(view.Query{})
		want := []string{"leaf /x 2", "leaf /y 2", "conflict /x of 2"}
		if !slices.Equal(got.calls, want) || got.ChangedAt.IsZero() {
			t.Errorf("%q, changed at %s, want %q", got.calls, got.ChangedAt, want)
		}
	})
}

func TestResults_ConflictsOverTheMemoryBound_AllAfterTheLeaves(t *testing.T) {
	w := newWorld(t, storetest.OpenSQLite(t))
	value := strings.Repeat("x", 60_000)
	var want []string
	for i := range 10 { // of 1.2 MB, and 1 MiB is kept
		for _, client := range []string{"a", "b"} {
			w.Submit(client, int64(i+1), fmt.Sprintf(`{"op":"set","path":"/p%d","value":"%s%s"}`, i, client, value))
		}
		want = append(want, fmt.Sprintf("conflict /p%d of 2", i))
	}
	got := w.results(view.Query{})
	if len(got.calls) != 20 || !slices.Equal(got.calls[10:], want) {
		t.Errorf("%d calls, the last of them %.40q", len(got.calls), got.calls[min(10, len(got.calls)):])
	}
}
