package httpkit

import (
	"testing"

	"firemode"
)

func FuzzCursor(f *testing.F) {
	cursors := NewCursors(make([]byte, 32))
	const list = "/v1/buildings?q=a"
	f.Add("", "")
	f.Add("1700000000000000|b-1", "AAAA")
	f.Add("\x00\xff", cursors.Seal("a", "/v1/users?", "k"))
	f.Fuzz(func(t *testing.T, key, forged string) {
		opened, err := cursors.Open("a", list, cursors.Seal("a", list, key))
		if err != nil || opened != key {
			t.Fatalf("sealed %q, opened %q, %v", key, opened, err)
		}
		if after, err := cursors.Open("a", list, forged); err == nil && cursors.Seal("a", list, after) != forged {
			t.Fatalf("%q was taken for a cursor", forged)
		} else if err != nil && firemode.CodeOf(err) != firemode.CodeMalformed {
			t.Fatalf("%q: %v", forged, err)
		}
	})
}
