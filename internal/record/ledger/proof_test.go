package ledger

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/note"
)

// book is a small log with its signed checkpoints: entry n has n changes.
type book struct {
	entries     []Header
	changes     [][]Leaf
	checkpoints []string // of each size, from 1
	tree        Tree
	key         note.Verifier
}

func keyOf(t testing.TB, seed byte) (note.Signer, note.Verifier) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	signer, err := NewSigner(private)
	must(t, err)
	verifier, err := note.NewVerifier(PublicKey(private))
	must(t, err)
	return signer, verifier
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newBook(t testing.TB, size int) *book {
	t.Helper()
	signer, key := keyOf(t, 7)
	b := &book{key: key}
	received := time.Date(2026, 11, 20, 3, 12, 44, 123456000, time.UTC)
	var frontier Frontier
	var prev []byte
	for n := 1; n <= size; n++ {
		changes := make([]Leaf, n)
		leaves := make([][]byte, n)
		for i := range changes {
			changes[i] = Leaf{
				Actor: "tablet-7", Number: int64(n), Index: int64(i),
				Text: jsontext.Value(fmt.Sprintf(`{"op":"set","path":"/items/FE-%d/note","value":"<\u00e9 %d>"}`, i,
					n)),
				Status: "applied", Time: received.UnixMicro(), User: "ann", Client: "tablet-7", ReceivedAt: received,
			}
			leaves[i] = changes[i].Hash()
		}
		changes[0].Flags = []string{"unlisted"}
		leaves[0] = changes[0].Hash()
		e := Header{
			Org: "demo", Session: "123", Seq: int64(n), Prev: prev, Kind: "changes", Actor: "tablet-7",
			Number: int64(n), ID: "b", Content: []byte{1, 2, 3, 4},
			User: "ann", Client: "tablet-7", ClientType: "web", CapturedAt: received, ReceivedAt: received,
			Context: map[string]int64{"phone-2": 4, "a": 1},
			Changes: int64(n), Root: Root(leaves),
		}
		prev = e.Hash()
		frontier = frontier.Append(int64(n-1), prev)
		must(t, b.tree.Add(prev))
		signed, err := Checkpoint{
			Org: "demo", Session: "123", Size: int64(n), Root: frontier.Root(),
			Epoch: 1,
		}.Sign(signer)
		must(t, err)
		b.entries, b.changes, b.checkpoints = append(b.entries, e), append(b.changes, changes),
			append(b.checkpoints, signed)
	}
	return b
}

func (b *book) proof(t testing.TB, entry, change int) Proof {
	t.Helper()
	var leaves Tree
	for _, c := range b.changes[entry] {
		must(t, leaves.Add(c.Hash()))
	}
	p := Proof{
		Change: b.changes[entry][change], Entry: b.entries[entry],
		Checkpoint: b.checkpoints[len(b.checkpoints)-1],
	}
	var err error
	p.ChangePath, err = leaves.Inclusion(int64(change))
	must(t, err)
	p.EntryPath, err = b.tree.Inclusion(int64(entry))
	must(t, err)
	return p
}

func TestProofOfEveryChange(t *testing.T) {
	b := newBook(t, 6)
	_, other := keyOf(t, 8)
	for entry := range b.entries {
		for change := range b.changes[entry] {
			file, err := b.proof(t, entry, change).Encode()
			must(t, err)
			p, err := ParseProof(file)
			must(t, err)
			if _, err := p.Check(b.key); err != nil {
				t.Errorf("change %d of entry %d: %v", change, entry, err)
			}
			if _, err := p.Check(other); err == nil || !strings.Contains(err.Error(), "checkpoint") {
				t.Errorf("checked with the key of another installation: %v", err)
			}
		}
	}
}

// Every byte of a proof counts: whichever is changed, in any bit or altogether, taken out or
// doubled, the file proves nothing any more.
func TestProofWithAnyByteChanged(t *testing.T) {
	b := newBook(t, 5)
	file, err := b.proof(t, 2, 1).Encode()
	must(t, err)
	check := func(file []byte) error {
		p, err := ParseProof(file)
		if err == nil {
			_, err = p.Check(b.key)
		}
		return err
	}
	must(t, check(file))
	for at := range file {
		for _, flip := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			altered := bytes.Clone(file)
			altered[at] ^= flip
			if check(altered) == nil {
				t.Errorf("byte %d with %#x flipped still proves: %s", at, flip, altered)
			}
		}
		if check(append(bytes.Clone(file[:at]), file[at+1:]...)) == nil {
			t.Errorf("without byte %d it still proves", at)
		}
		if check(append(bytes.Clone(file[:at+1]), file[at:]...)) == nil {
			t.Errorf("with byte %d doubled it still proves", at)
		}
	}
}

func TestProofOfSomethingElse(t *testing.T) {
	b, another := newBook(t, 5), newBook(t, 4)
	for name, change := range map[string]func(*Proof){
		"another change of the entry": func(p *Proof) { p.Change = b.changes[2][0] },
		"a change of another entry":   func(p *Proof) { p.Change = b.changes[3][1] },
		"another entry":               func(p *Proof) { p.Entry = b.entries[3] },
		"the checkpoint of a shorter log": func(p *Proof) {
			p.Checkpoint = another.checkpoints[3]
		},
		"no path":                func(p *Proof) { p.EntryPath = nil },
		"more changes":           func(p *Proof) { p.Entry.Changes++ },
		"another session":        func(p *Proof) { p.Entry.Session = "124" },
		"a hash that is no hash": func(p *Proof) { p.Entry.Root = p.Entry.Root[1:] },
		"an index below none":    func(p *Proof) { p.Change.Index = -1 },
		"a sequence below none":  func(p *Proof) { p.Entry.Seq = 0 },
	} {
		p := b.proof(t, 2, 1)
		change(&p)
		if _, err := p.Check(b.key); err == nil {
			t.Errorf("%s: it still proves", name)
		}
	}
}

func TestContinuationBetweenEveryPairOfSizes(t *testing.T) {
	const size = 19
	b := newBook(t, size)
	_, other := keyOf(t, 8)
	for to := 1; to <= size; to++ {
		part := newBook(t, to)
		for from := 1; from <= to; from++ {
			path, err := part.tree.Consistency(int64(from))
			must(t, err)
			file, err := Continuation{From: int64(from), Path: path, Checkpoint: part.checkpoints[to-1]}.Encode()
			must(t, err)
			c, err := ParseContinuation(file)
			must(t, err)
			if err := c.Check(b.checkpoints[from-1], b.key); err != nil {
				t.Errorf("%d to %d: %v", from, to, err)
			}
			if c.Check(b.checkpoints[from%size], b.key) == nil {
				t.Errorf("%d to %d: it continues the log of %d too", from, to, from%size+1)
			}
			if c.Check(b.checkpoints[from-1], other) == nil {
				t.Errorf("%d to %d: checked with another key", from, to)
			}
		}
	}
}

func TestContinuationOfAnotherLog(t *testing.T) {
	b := newBook(t, 6)
	signer, key := keyOf(t, 7)
	path, err := b.tree.Consistency(4)
	must(t, err)
	c := Continuation{From: 4, Path: path, Checkpoint: b.checkpoints[5]}
	must(t, c.Check(b.checkpoints[3], key))
	old, err := OpenCheckpoint(b.checkpoints[3], key)
	must(t, err)
	for name, change := range map[string]func(*Checkpoint){
		"a log that was rewritten": func(c *Checkpoint) { c.Root = Root([][]byte{leaf(1)}) },
		"a log of another session": func(c *Checkpoint) { c.Session = "124" },
		"a log of another size":    func(c *Checkpoint) { c.Size = 3 },
	} {
		altered := old
		change(&altered)
		signed, err := altered.Sign(signer)
		must(t, err)
		if c.Check(signed, key) == nil {
			t.Errorf("%s is continued", name)
		}
	}
}
