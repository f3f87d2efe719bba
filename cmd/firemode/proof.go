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
	return `Give it to whoever is to check what this installation has signed: it is no secret, and it stays the same as long as the keys do. Examples:

    firemode history-key
    firemode history-key --keys /etc/firemode/keys`
}

// Run prints the key alone, so that a script can take it.
func (historyKeyCommand) Run(p *program) error {
	key, err := app.HistoryKey(p.storage)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, key)
	return err
}

type verifyProofCommand struct {
	File string `arg:"" help:"The proof, byte for byte as GET /v1/tests/sessions/{id}/proof answered it."`
	Key  string `required:"" placeholder:"KEY" help:"Public key of the installation, as firemode history-key prints it there."`
}

func (verifyProofCommand) Help() string {
	return `It needs neither a server nor a data folder. It says what was recorded by whom and when, or what is wrong with the proof; then it
exits 1. A proof shows that the reading stands in the log as it was recorded, not that it was right. Examples:

    curl -H "Authorization: Bearer $TOKEN" "$URL/v1/tests/sessions/123/proof?dot=tablet-7:12:0" > reading.json
    firemode verify-proof reading.json --key "$(firemode history-key)"`
}

// maxProof bounds what is read: a change is 64 KiB at most, and its proof not much more.
const maxProof = 4 << 20

// Run prints what the proof proves.
func (c verifyProofCommand) Run(p *program) error {
	key, err := note.NewVerifier(strings.TrimSpace(c.Key))
	if err != nil {
		return fmt.Errorf("--key is not what firemode history-key prints: %w", err)
	}
	info, err := os.Stat(c.File)
	if err == nil && info.Size() > maxProof {
		return errors.New("not a proof: it is too large")
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
		return fmt.Errorf("this proves nothing: %w", err)
	}
	return p.table(proved(proof, checkpoint))
}

// proved puts a checked proof into words.
func proved(proof ledger.Proof, c ledger.Checkpoint) [][]string {
	e, r := proof.Entry, proof.Change
	rows := [][]string{
		{"PROVED", fmt.Sprintf("session %s of %s, log entry %d of %d, epoch %d", e.Session, e.Org, e.Seq, c.Size, c.Epoch)},
		{"recorded", string(r.Text)},
		{"by", fmt.Sprintf("user %s with client %s, batch %d, change %d", r.User, cmp.Or(r.Client, "without an id"), r.Number, r.Index)},
		{"received", instant(r.ReceivedAt)},
		{"captured", cmp.Or(instant(e.CapturedAt), "not said") + " by the client's clock, unless the change says another time"},
		{"outcome", strings.TrimSpace(r.Status + " " + r.Reason)},
	}
	if r.SubmittedBy != "" {
		rows = append(rows, []string{"handed in by", "user " + r.SubmittedBy})
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
