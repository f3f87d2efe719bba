package ledger

import (
	"bytes"
	"testing"
)

// FuzzParseProof: whatever is taken for a proof is written back byte for byte, and checking it
// ends, in an error or not at all badly.
func FuzzParseProof(f *testing.F) {
	b := newBook(f, 3)
	for entry := range b.entries {
		file, err := b.proof(f, entry, entry).Encode()
		must(f, err)
		f.Add(file)
	}
	f.Add([]byte(`{"reading":{},"reading_path":[],"entry":{},"entry_path":[],"checkpoint":""}` + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := ParseProof(file)
		if err != nil {
			return
		}
		again, err := p.Encode()
		must(t, err)
		if !bytes.Equal(again, file) {
			t.Fatalf("%s is written as %s", file, again)
		}
		known := false
		for entry := range b.entries {
			for change := range b.changes[entry] {
				genuine, err := b.proof(t, entry, change).Encode()
				must(t, err)
				known = known || bytes.Equal(genuine, file)
			}
		}
		if _, err := p.Check(b.key); err == nil && !known {
			t.Fatalf("%s proves something that was never recorded", file)
		}
	})
}

// FuzzParseContinuation is the same for continuations, against the checkpoint of two entries.
func FuzzParseContinuation(f *testing.F) {
	b := newBook(f, 3)
	path, err := b.tree.Consistency(2)
	must(f, err)
	genuine, err := Continuation{From: 2, Path: path, Checkpoint: b.checkpoints[2]}.Encode()
	must(f, err)
	f.Add(genuine)
	f.Add([]byte(`{"from":9223372036854775807,"path":["AAAA"],"checkpoint":"firemode/demo/123\n"}` + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := ParseContinuation(file)
		if err != nil {
			return
		}
		same := c.From == 2 && len(c.Path) == 0 && c.Checkpoint == b.checkpoints[1] // the log continues itself
		if c.Check(b.checkpoints[1], b.key) == nil && !same && !bytes.Equal(file, genuine) {
			t.Fatalf("%s continues a log that it does not know", file)
		}
	})
}

// FuzzOpenCheckpoint: no note but the signed one opens.
func FuzzOpenCheckpoint(f *testing.F) {
	b := newBook(f, 2)
	f.Add(b.checkpoints[0])
	f.Add(b.checkpoints[1])
	f.Add("firemode/demo/123\n1\nAAAA\nepoch 1\n\n— firemode AAAAAAAA\n")
	f.Fuzz(func(t *testing.T, signed string) {
		if _, err := OpenCheckpoint(signed, b.key); err == nil && signed != b.checkpoints[0] &&
			signed != b.checkpoints[1] {
			t.Fatalf("%q opens", signed)
		}
	})
}
