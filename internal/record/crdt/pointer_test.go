package crdt_test

import (
	"slices"
	"strings"
	"testing"

	"firemode/internal/record/crdt"
)

func TestParsePointer(t *testing.T) {
	for _, c := range []struct{ path, refused string }{
		{"/a", ""},
		{"/items/FE-001/outcome", ""},
		{"/a~0b/c~1d", ""},
		{"/Ünïcode/消火器", ""},
		{"/a b/\"quoted\"", ""},
		{"/" + strings.Repeat("x", 511), ""},
		{strings.Repeat("/x", 16), ""},
		{"", "must name something below the root"},
		{"/", "must name something below the root"},
		{"a", "must begin with /"},
		{"items/a", "must begin with /"},
		{"//a", "empty segment"},
		{"/a/", "empty segment"},
		{"/a//b", "empty segment"},
		{"/a~", "~0"},
		{"/a~2", "~0"},
		{"/~/a", "~0"},
		{"/a\x00", "control character"},
		{"/a\n", "control character"},
		{"/a\u0085", "control character"},
		{"/a\xff", "not valid UTF-8"},
		{"/" + strings.Repeat("x", 512), "longer than 512 bytes"},
		{strings.Repeat("/x", 17), "more than 16 segments"},
	} {
		p, err := crdt.ParsePointer(c.path)
		switch {
		case c.refused == "" && (err != nil || string(p) != c.path):
			t.Errorf("%.40q: %q, %v", c.path, p, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%.40q: error %v, want one about %q", c.path, err, c.refused)
		}
	}
}

func TestPointerFamily(t *testing.T) {
	p := crdt.Pointer("/a").Child("b/~c")
	if p != "/a/b~1~0c" {
		t.Errorf("child %s", p)
	}
	if name := crdt.Unescape(p.Segments()[1]); name != "b/~c" {
		t.Errorf("name %s", name)
	}
	if name := crdt.Unescape("~01"); name != "~1" {
		t.Errorf("~01 is %s, want ~1", name)
	}
	if got := p.Child("d").Ancestors(); !slices.Equal(got, []crdt.Pointer{"/a/b~1~0c", "/a"}) {
		t.Errorf("ancestors %q", got)
	}
	for _, c := range []struct {
		p, q  crdt.Pointer
		holds bool
	}{
		{"/a", "/a", true},
		{"/a", "/a/b", true},
		{"/a", "/ab", false},
		{"/a/b", "/a", false},
		{"/a", "/b/a", false},
	} {
		if got := c.p.Holds(c.q); got != c.holds {
			t.Errorf("%s holds %s: %v", c.p, c.q, got)
		}
	}
}

func FuzzParsePointer(f *testing.F) {
	for _, s := range []string{
		"/a", "/items/FE-001/outcome", "/a~0b/c~1d", "//", "/a~2", "/\x7f", "/消火器/x", "/a/",
		"/~01",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := crdt.ParsePointer(s)
		if err != nil {
			return
		}
		if string(p) != s {
			t.Fatalf("%q was repaired to %q", s, p)
		}
		if len(s) > crdt.MaxPathBytes || len(p.Segments()) > crdt.MaxPathSegments {
			t.Fatalf("%q is beyond the limits", s)
		}
		if back := crdt.PointerOfKey(p.Key()); back != p {
			t.Fatalf("the key of %q is that of %q", p, back)
		}
		rebuilt := crdt.Pointer("")
		for _, segment := range p.Segments() {
			rebuilt = rebuilt.Child(crdt.Unescape(segment))
		}
		if rebuilt != p {
			t.Fatalf("%q is not canonical: its names make %q", p, rebuilt)
		}
		for _, above := range p.Ancestors() {
			if !above.Holds(p) || p.Holds(above) || above.Key() >= p.Key() {
				t.Fatalf("%q is not above %q", above, p)
			}
		}
	})
}

// FuzzKeyOrder holds that the byte order of keys is the order of a walk: a path comes before what
// is below it, and nothing else comes between.
func FuzzKeyOrder(f *testing.F) {
	f.Add("/a", "/a/b", "/a!")
	f.Add("/a/b", "/a/b/c", "/a/b-c")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		p, err1 := crdt.ParsePointer(a)
		q, err2 := crdt.ParsePointer(b)
		r, err3 := crdt.ParsePointer(c)
		if err1 != nil || err2 != nil || err3 != nil || !p.Holds(q) {
			return
		}
		if p.Key() <= r.Key() && r.Key() <= q.Key() && !p.Holds(r) {
			t.Fatalf("%q comes between %q and %q", r, p, q)
		}
	})
}
