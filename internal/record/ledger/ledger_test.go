package ledger

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func leaf(i int64) []byte { return fmt.Appendf(nil, "leaf %d", i) }

// grow returns the trees of 0..n leaves, as frontiers and as one whole tree.
func grow(t *testing.T, n int64) ([]Frontier, *Tree) {
	t.Helper()
	frontiers, tree := []Frontier{nil}, &Tree{}
	for i := range n {
		frontiers = append(frontiers, frontiers[i].Append(i, leaf(i)))
		if err := tree.Add(leaf(i)); err != nil {
			t.Fatal(err)
		}
	}
	return frontiers, tree
}

func TestFrontierHasTheRootOfTheTree(t *testing.T) {
	frontiers, tree := grow(t, 70)
	for n := int64(1); n <= 70; n++ {
		want, err := tlog.TreeHash(n, tree)
		if err != nil {
			t.Fatal(err)
		}
		if got := frontiers[n].Root(); !bytes.Equal(got, want[:]) {
			t.Errorf("root of %d leaves: %x, want %x", n, got, want)
		}
		if !frontiers[n].Fits(n) || frontiers[n].Fits(n+1) && n%2 == 0 {
			t.Errorf("frontier of %d leaves does not fit", n)
		}
	}
}

func TestProofs(t *testing.T) {
	const size = 37
	frontiers, tree := grow(t, size)
	root := frontiers[size].Root()
	for i := range int64(size) {
		proof, err := tree.Inclusion(i)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckInclusion(proof, size, root, i, leaf(i)); err != nil {
			t.Errorf("leaf %d: %v", i, err)
		}
		if CheckInclusion(proof, size, root, i, leaf(i+1)) == nil ||
			CheckInclusion(proof, size, root, (i+1)%size, leaf(i)) == nil {
			t.Errorf("the proof of leaf %d proves something else", i)
		}
	}
	for old := int64(1); old <= size; old++ {
		proof, err := tree.Consistency(old)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckConsistency(proof, size, root, old, frontiers[old].Root()); err != nil {
			t.Errorf("consistency from %d: %v", old, err)
		}
		if CheckConsistency(proof, size, root, old, frontiers[old-1].Root()) == nil {
			t.Errorf("a log of %d other entries counts as the beginning", old)
		}
	}
}

func TestCheckpoint(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	signer, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(PublicKey(key))
	if err != nil {
		t.Fatal(err)
	}
	want := Checkpoint{Org: "demo", Session: "123", Size: 4, Root: Root([][]byte{leaf(0), leaf(1)}), Epoch: 2}
	signed, err := want.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenCheckpoint(signed, verifier)
	if err != nil {
		t.Fatal(err)
	}
	if got.text() != want.text() {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := OpenCheckpoint(strings.Replace(signed, "epoch 2", "epoch 1", 1), verifier); err == nil {
		t.Error("a checkpoint that was altered is accepted")
	}
}

func TestHashSeparatesFields(t *testing.T) {
	if bytes.Equal(Hash("d", []byte("ab"), []byte("c")), Hash("d", []byte("a"), []byte("bc"))) {
		t.Error("fields run into each other")
	}
	if bytes.Equal(Hash("d", []byte("a")), Hash("e", []byte("a"))) {
		t.Error("domains run into each other")
	}
}
