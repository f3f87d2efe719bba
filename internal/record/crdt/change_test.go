package crdt_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
)

func TestParseChanges(t *testing.T) {
	for _, c := range []struct{ name, change, rejected string }{
		{"a set", setA1, ""},
		{"null is a value", `{"op":"set","path":"/a","value":null}`, ""},
		{"a removal", removeA, ""},
		{"members that nobody knows are kept", `{"op":"remove","path":"/a","colour":"red"}`, ""},
		{"a resolve to absent", absent, ""},
		{"no op", `{"path":"/a","value":1}`, "op: unknown operation"},
		{"an unknown op", `{"op":"merge","path":"/a"}`, "op: unknown operation"},
		{"no path", `{"op":"set","value":1}`, "path: missing"},
		{"the root", `{"op":"set","path":"","value":1}`, "below the root"},
		{"no value", `{"op":"set","path":"/a"}`, "value: missing"},
		{"an empty object", `{"op":"set","path":"/a","value":{}}`, "empty object"},
		{"an empty object inside", `{"op":"set","path":"/a","value":{"b":{}}}`, "empty object"},
		{"a member without a name", `{"op":"set","path":"/a","value":{"":1}}`, "empty segment"},
		{
			"an object too deep for a path", `{"op":"set","path":"` + strings.Repeat("/x", 16) + `","value":{"y":1}}`,
			"16 segments",
		},
		{"a number too long", `{"op":"set","path":"/a","value":` + strings.Repeat("9", 35) + `}`, "34 digits"},
		{"no delta", `{"op":"increment","path":"/a"}`, "value"},
		{"a delta that is text", `{"op":"increment","path":"/a","delta":"1"}`, "delta: not a number"},
		{"an append with no room", `{"op":"append","path":"/` + strings.Repeat("x", 500) + `","value":1}`, "no room"},
		{"a correct of nothing", `{"op":"correct","path":"/a","value":1,"reason":"r"}`, "client:batch:index"},
		{"a correct without reason", `{"op":"correct","path":"/a","value":1,"dot":"A:1:0"}`, "reason: missing"},
		{"a reason of blanks", `{"op":"correct","path":"/a","value":1,"dot":"A:1:0","reason":"  "}`, "reason: missing"},
		{"a resolve without dots", `{"op":"resolve","path":"/a","conflict_id":"c","reason":"r"}`, "dots, conflict_id"},
		{
			"a resolve without its conflict", `{"op":"resolve","path":"/a","dots":["A:1:0"],"reason":"r"}`,
			"dots, conflict_id",
		},
		{"a time that is none", `{"op":"remove","path":"/a","captured_at":"yesterday"}`, "captured_at"},
		{"a path that is a number", `{"op":"set","path":1,"value":1}`, "shape"},
		{"not an object", `[1]`, "shape"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes, err := crdt.ParseChanges([]jsontext.Value{jsontext.Value(c.change), jsontext.Value(setA2)})
			if err != nil {
				t.Fatal(err)
			}
			if got := changes[0].Rejected; (got == "") != (c.rejected == "") || !strings.Contains(got, c.rejected) {
				t.Errorf("rejected %q, want %q", got, c.rejected)
			}
			if changes[1].Rejected != "" || changes[1].Value != "2" {
				t.Errorf("the change beside it: %+v", changes[1])
			}
		})
	}
}

func TestParseChangesRefusesTheList(t *testing.T) {
	for _, change := range []string{
		`{"op":"set","Path":"/a","value":1}`, `{"OP":"set","path":"/a","value":1}`,
		`{"op":"set","path":"/a","path":"/b","value":1}`,
		`{"op":"set","path":"/a","value":{"x":1,"x":2}}`, `{"op":"set"`, ``, "{\"op\":\"set\",\"path\":\"/\xff\"}",
	} {
		if changes, err := crdt.ParseChanges([]jsontext.Value{jsontext.Value(change)}); err == nil {
			t.Errorf("%s was read as %+v", change, changes)
		}
	}
}

// Content does not depend on how a document is spelled, and on nothing else it does not.
func TestContent(t *testing.T) {
	same := []string{
		`{"op":"set","path":"/a","value":12.5}`,
		"{\n \"op\" : \"set\", \"path\": \"/a\", \"value\": 12.5 }",
		`{"value":12.5,"path":"/a","op":"set"}`,
		`{"op":"s\u0065t","path":"\/a","v\u0061lue":12.5}`,
		`{"op":"set","path":"/a","value":12.50}`,
		`{"op":"set","path":"/a","value":1.25e1}`,
	}
	others := []string{
		`{"op":"set","path":"/a","value":12.51}`, `{"op":"set","path":"/a","value":"12.5"}`,
		`{"op":"set","path":"/b","value":12.5}`,
		`{"op":"append","path":"/a","value":12.5}`, `{"op":"set","path":"/a","value":[12.5]}`,
		`{"op":"set","path":"/a","value":12.5,"more":null}`,
		`{"op":"set","path":"/a","value":12.5,"captured_at":"2026-11-20T03:12:44Z"}`,
	}
	want := content(t, same[0])
	for _, text := range same[1:] {
		if content(t, text) != want {
			t.Errorf("%s is other content than %s", text, same[0])
		}
	}
	seen := map[[32]byte]string{want: same[0]}
	for _, list := range [][]string{
		{},
		{same[0], same[0]},
		{setA1, setA2},
		{setA2, setA1},
		{others[0]},
		{others[1]},
		{others[2]},
		{others[3]},
		{others[4]},
		{others[5]},
		{others[6]},
	} {
		got := content(t, list...)
		if twin, taken := seen[got]; taken {
			t.Errorf("%q and %s are one content", list, twin)
		}
		seen[got] = strings.Join(list, ",")
	}
}

func content(t interface{ Fatal(...any) }, texts ...string) [32]byte {
	raw := make([]jsontext.Value, len(texts))
	for i, text := range texts {
		raw[i] = jsontext.Value(text)
	}
	changes, err := crdt.ParseChanges(raw)
	if err != nil {
		t.Fatal(err)
	}
	return crdt.Content(changes)
}

// Any document has the content of its re-encoding.
func TestContentOfAnyDocument(t *testing.T) {
	check(t, 2_000, 2_000, func(t *rapid.T) {
		change := map[string]any{"op": "set", "path": "/a", "value": documents(3).Draw(t, "value")}
		plain, err := json.Marshal(change)
		if err != nil {
			t.Fatal(err)
		}
		var indented, escaped bytes.Buffer
		if err := json.Indent(&indented, plain, " ", "\t"); err != nil {
			t.Fatal(err)
		}
		for _, r := range string(plain) {
			if r == 'x' {
				escaped.WriteString(`\u0078`)
			} else {
				escaped.WriteRune(r)
			}
		}
		if content(t, string(plain)) != content(t, indented.String()) ||
			content(t, string(plain)) != content(t, escaped.String()) {
			t.Fatalf("%s has another content when it is written as\n%s\nor\n%s", plain, indented.String(),
				escaped.String())
		}
	})
}

// documents are JSON values up to a depth. Their x may be written in two ways, and nothing else
// holds an x.
func documents(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.IntRange(-1000, 1000).AsAny(),
		rapid.SampledFrom([]string{"", "x", "é<\"", "\u2028"}).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	below := documents(depth - 1)
	names := rapid.SampledFrom([]string{"a", "b", "ax", "z/~"})
	return rapid.OneOf(append(leaves, rapid.SliceOfN(below, 0, 3).AsAny(), rapid.MapOfN(names, below, 0, 3).AsAny())...)
}

func FuzzParseChanges(f *testing.F) {
	for _, s := range []string{
		setA1, removeA, settleTo1, correctA1, absent, add1, `{"op":"append","path":"/l","value":{"a":[1,2]}}`, `[]`,
		`{"Op":"set"}`,
		`{"op":"set","path":"/a","value":{"b":{"c":1}},"captured_at":"2026-11-20T03:12:44Z",` +
			`"instrument":{"id":"G-17"},"source":"typed"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		changes, err := crdt.ParseChanges([]jsontext.Value{raw})
		if err != nil {
			return
		}
		c := changes[0]
		again, err := crdt.ParseChanges([]jsontext.Value{jsontext.Value(c.Text)})
		if err != nil || again[0].Text != c.Text || again[0].Rejected != c.Rejected ||
			crdt.Content(again) != crdt.Content(changes) {
			t.Fatalf("%q was read as %+v, and what was kept of it as %+v, %v", raw, c, again, err)
		}
		if c.Rejected != "" {
			return
		}
		b := crdt.Batch{Actor: "A", Number: 1, Changes: changes}
		ops := b.Ops(0, crdt.Stamp{})
		if len(ops) == 0 {
			t.Fatalf("%q was accepted and does nothing", raw)
		}
		for _, op := range ops {
			if _, err := crdt.ParsePointer(string(op.Path)); err != nil || !c.Path.Holds(op.Path) {
				t.Fatalf("%q writes at %q, %v", raw, op.Path, err)
			}
		}
	})
}
