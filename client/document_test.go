package client

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"firemode/internal/record/crdt"
)

// The document that a client assembles leaf by leaf, in any order, has the bytes that the merge
// writes, and reads back the same.
func TestDocument_AnyLeaves_SameBytesAsTheMerge(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.StringMatching(`[a~/"<é0]{1,3}`)
		names := rapid.SliceOfNDistinct(name, 1, 6, rapid.ID[string]).Draw(r, "names")
		state := crdt.NewState(func(crdt.ActorID) crdt.Ranges { return nil })
		var d Document
		for i, name := range names {
			p := Pointer("/top").Child(name).Child("leaf")
			v := jsontext.Value(fmt.Sprint(i))
			d.Put(p, v)
			dot := crdt.Dot{Actor: "x", Batch: int64(i) + 1}
			state.Load(crdt.Op{Dot: dot, Path: crdt.Pointer(p), Kind: crdt.Set, Value: crdt.Value(v)})
		}
		written := string(state.Document())
		if got := string(d.root.append(nil)); got != written {
			r.Fatalf("%s, the merge writes %s", got, written)
		}
		read, err := readDocument([]byte(written))
		if err != nil || string(read.root.append(nil)) != written {
			r.Fatalf("read back as %s, %v", read.root.append(nil), err)
		}
		for i, name := range names {
			if v, ok := d.Get(Pointer("/top").Child(name)); !ok || string(v) != fmt.Sprintf(`{"leaf":%d}`, i) {
				r.Fatalf("%q: %s, %v", name, v, ok)
			}
			d.remove(Pointer("/top").Child(name))
		}
		if got := string(d.root.append(nil)); got != "{}" {
			r.Fatalf("left is %s", got)
		}
	})
}
