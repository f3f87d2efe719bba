package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"firemode/internal/app"
	"firemode/internal/record/ledger"
)

type historyKeyCommand struct{}

func (historyKeyCommand) Help() string {
	return `Publish this key to people who verify signatures of this installation. It is not secret, and changes only
with the signing keys. Examples:

    firemode history-key
    firemode history-key --keys /etc/firemode/keys`
}

// Run prints the key and nothing else, for scripts.
func (historyKeyCommand) Run(p *program) error {
	key, err := app.HistoryKey(p.storage)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, key)
	return err
}

type verifyProofCommand struct {
	File string `arg:"" help:"${help_proof_file}"`
	Key  string `required:"" placeholder:"KEY" help:"${help_proof_key}"`
}

func (verifyProofCommand) Help() string {
	return `This needs neither a server nor a data folder. It prints what was recorded, by whom and when. If the proof
is invalid, it prints why and exits 1. A proof shows that the log holds the reading as it was recorded, not that the
reading was correct. Examples:

    curl -H "Authorization: Bearer $TOKEN" "$URL/v1/tests/sessions/123/proof?dot=tablet-7:12:0" > reading.json
    firemode verify-proof reading.json --key "$(firemode history-key)"`
}

// maxProof limits the file, in bytes. A change has at most 64 KiB, and its proof little more.
const maxProof = 4 << 20

// Run checks the proof and prints what it proves.
func (c verifyProofCommand) Run(p *program) error {
	key, err := note.NewVerifier(strings.TrimSpace(c.Key))
	if err != nil {
		return fmt.Errorf("--key is not a key as printed by firemode history-key: %w", err)
	}
	info, err := os.Stat(c.File)
	if err == nil && info.Size() > maxProof {
		return errors.New("not a proof: the file is too large")
	}
	file, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	proof, err := ledger.ParseProof(file)
	if err != nil {
		return err
	}
	checkpoint, err := proof.Check(key)
	if err != nil {
		return fmt.Errorf("invalid proof: %w", err)
	}
	return p.table(proved(proof, checkpoint))
}

// proved returns the rows that describe a checked proof.
func proved(proof ledger.Proof, c ledger.Checkpoint) [][]string {
	e, r := proof.Entry, proof.Change
	client := cmp.Or(r.Client, "without an id")
	captured := cmp.Or(instant(e.CapturedAt), "not given") + " by the client's clock, unless the change has its own"
	entry := fmt.Sprintf("session %s of %s, log entry %d of %d, epoch %d", e.Session, e.Org, e.Seq, c.Size, c.Epoch)
	rows := [][]string{
		{"PROVED", entry},
		{"recorded", string(r.Text)},
		{"by", fmt.Sprintf("user %s with client %s, batch %d, change %d", r.User, client, r.Number, r.Index)},
		{"received", instant(r.ReceivedAt)},
		{"captured", captured},
		{"outcome", strings.TrimSpace(r.Status + " " + r.Reason)},
	}
	if r.SubmittedBy != "" {
		rows = append(rows, []string{"submitted by", "user " + r.SubmittedBy})
	}
	if len(r.Flags) > 0 {
		rows = append(rows, []string{"flags", strings.Join(r.Flags, ", ")})
	}
	return rows
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
