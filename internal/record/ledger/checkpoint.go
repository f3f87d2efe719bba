package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// KeyName is the name under which an installation signs its checkpoints.
const KeyName = "firemode"

// Checkpoint states what a session's log was at one moment.
type Checkpoint struct {
	Org, Session string
	Size         int64  // entries
	Root         []byte // of the tree over their hashes
	Epoch        int64  // raised by a restore from backup
}

func (c Checkpoint) text() string {
	return fmt.Sprintf("firemode/%s/%s\n%d\n%s\nepoch %d\n", c.Org, c.Session, c.Size,
		base64.StdEncoding.EncodeToString(c.Root), c.Epoch)
}

// Sign returns c as a signed note, in the form of the transparency logs: origin, size, root, and a
// line for the epoch.
func (c Checkpoint) Sign(signer note.Signer) (string, error) {
	signed, err := note.Sign(&note.Note{Text: c.text()}, signer)
	return string(signed), err
}

// OpenCheckpoint returns the checkpoint in a note that the key signed.
func OpenCheckpoint(signed string, key note.Verifier) (c Checkpoint, err error) {
	n, err := note.Open([]byte(signed), note.VerifierList(key))
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	if err := asSigned(n, signed); err != nil {
		return c, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 5 {
		return c, errors.New("checkpoint: not of four lines")
	}
	origin := strings.Split(lines[0], "/")
	if len(origin) != 3 || origin[0] != "firemode" {
		return c, errors.New("checkpoint: not of a session of FireMode")
	}
	c.Org, c.Session = origin[1], origin[2]
	c.Size, err = strconv.ParseInt(lines[1], 10, 64)
	if err == nil {
		c.Root, err = base64.StdEncoding.DecodeString(lines[2])
	}
	if err == nil {
		c.Epoch, err = strconv.ParseInt(strings.TrimPrefix(lines[3], "epoch "), 10, 64)
	}
	if err != nil || c.text() != n.Text {
		return c, errors.New("checkpoint: it cannot be read")
	}
	return c, nil
}

// asSigned rejects a note that was altered after the key signed it: note.Open ignores signatures of
// other keys and the bits that base64 does not use.
func asSigned(n *note.Note, signed string) error {
	if len(n.Sigs) != 1 {
		return errors.New("checkpoint: not signed once")
	}
	sig := n.Sigs[0]
	_, err := base64.StdEncoding.Strict().DecodeString(sig.Base64)
	if rewritten := fmt.Sprintf("%s\n— %s %s\n", n.Text, sig.Name, sig.Base64); err != nil || rewritten != signed {
		return errors.New("checkpoint: it was altered since it was signed")
	}
	return nil
}

// NewSigner returns the signer of an installation's private key.
func NewSigner(key ed25519.PrivateKey) (note.Signer, error) {
	// note reads keys only in its own text form: algorithm 1 is Ed25519, by seed.
	public := PublicKey(key)
	id := strings.Split(public, "+")[1]
	seed := base64.StdEncoding.EncodeToString(append([]byte{1}, key.Seed()...))
	return note.NewSigner(strings.Join([]string{"PRIVATE", "KEY", KeyName, id, seed}, "+"))
}

// PublicKey returns the text of the key that checks what the private key signs.
func PublicKey(key ed25519.PrivateKey) string {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return ""
	}
	text, err := note.NewEd25519VerifierKey(KeyName, public)
	if err != nil {
		return "" // only for a key of another length
	}
	return text
}

// CheckpointOf states what the log of a session is at its head.
func CheckpointOf(at SessionRef, h Head) Checkpoint {
	return Checkpoint{
		Org: string(at.Org), Session: string(at.Session), Size: h.Seq, Root: Frontier(h.Frontier).Root(),
		Epoch: h.Epoch,
	}
}
