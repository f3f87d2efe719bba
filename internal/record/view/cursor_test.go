package view_test

import (
	"testing"

	"firemode"
	"firemode/internal/record/recordtest"
	"firemode/internal/record/view"
	"firemode/internal/store"
)

func TestResults_CursorOfAnotherLog_Refused(t *testing.T) {
	recordtest.OnBothEngines(t, func(t *testing.T, s store.Database) {
		w := newWorld(t, s)
		w.Submit("a", 1, `{"op":"set","path":"/x","value":1}`)
		good := w.results(view.Query{}).Cursor
		for name, test := range map[string]struct {
			alter func(*view.Cursor)
			want  firemode.Code
		}{
			"epoch":   {func(c *view.Cursor) { c.Epoch++ }, firemode.CodeGone},
			"ahead":   {func(c *view.Cursor) { c.Seq++ }, firemode.CodeGone},
			"hash":    {func(c *view.Cursor) { c.Hash = []byte("12345678") }, firemode.CodeGone},
			"session": {func(c *view.Cursor) { c.Session = "other" }, firemode.CodeMalformed},
		} {
			c := good
			test.alter(&c)
			if _, err := w.as("tom", view.Query{Since: &c}); firemode.CodeOf(err) != test.want {
				t.Errorf("%s: error %v, want code %v", name, err, test.want)
			}
		}
		if got := w.results(view.Query{Since: &good}); len(got.calls) != 0 || !got.Complete {
			t.Errorf("the cursor itself: %q, complete %t", got.calls, got.Complete)
		}
	})
}
