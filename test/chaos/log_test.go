package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"firemode/internal/record/ledger"
	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
)

// openSQLite opens the database in a data folder.
func openSQLite(t *testing.T, data string) store.Database {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(data, "firemode.db")})
	check(t, err)
	return s
}

func openPostgres(t *testing.T, url string) store.Database {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	check(t, err)
	return s
}

// readLog reads the logs of the sessions and the audit log as the store holds them, and closes it.
// It is an error if a number is missing, or an entry is not the one that was sealed.
func (s *site) readLog(ctx context.Context, db store.Database) (found findings, err error) {
	defer db.Close()
	found = findings{}
	err = db.View(ctx, func(tx store.ReadTx) error {
		for _, id := range s.sessions {
			if err := readSession(ctx, tx, ledger.SessionRef{Org: org, Session: id}, found); err != nil {
				return fmt.Errorf("session %s: %w", id, err)
			}
		}
		return readAudits(ctx, tx, found)
	})
	return found, err
}

func readSession(ctx context.Context, tx store.ReadTx, ref ledger.SessionRef, found findings) error {
	var last ledger.Entry
	err := store.As[store.EntryReader](tx).EachEntry(ctx, ref, 1, func(b ledger.Entry) error {
		if b.Seq != last.Seq+1 || !bytes.Equal(b.Prev, last.Hash) || !b.Sealed(ref) {
			return fmt.Errorf("log entry %d after %d is not the one that was sealed there", b.Seq, last.Seq)
		}
		last = b
		return found.batch(b)
	})
	if err != nil {
		return err
	}
	head, err := store.As[store.HeadReader](tx).Head(ctx, ref)
	if err == nil && (head.Seq != last.Seq || !bytes.Equal(head.Hash, last.Hash)) {
		err = fmt.Errorf("the head is at %d and the log ends at %d, or their hashes differ", head.Seq, last.Seq)
	}
	return err
}

// batch counts the numbers in the changes of a log entry.
func (f findings) batch(b ledger.Entry) error {
	if b.Kind != ledger.EntryChanges {
		return nil
	}
	var changes []struct{ Value json.RawMessage }
	if err := json.Unmarshal(b.Changes, &changes); err != nil {
		return err
	}
	for _, c := range changes {
		if err := f.add(strings.Trim(string(c.Value), `"`)); err != nil {
			return fmt.Errorf("log entry %d: %w", b.Seq, err)
		}
	}
	return nil
}

// readAudits checks the chain of the audit log and counts the numbers that classifications carry as
// the reason of their override.
func readAudits(ctx context.Context, tx store.ReadTx, found findings) error {
	var last ledger.AuditEntry
	return store.As[store.AuditReader](tx).EachAudit(ctx, org, func(e ledger.AuditEntry) error {
		if e.Seq != last.Seq+1 || !bytes.Equal(e.Prev, last.Hash) || !e.Sealed() {
			return fmt.Errorf("audit entry %d after %d is not the one that was sealed there", e.Seq, last.Seq)
		}
		last = e
		return found.audit(e.Action, e.Data)
	})
}

func (f findings) audit(action string, data []byte) error {
	if action != "classify" {
		return nil
	}
	var entry struct{ Reason string }
	if err := json.Unmarshal(data, &entry); err != nil {
		return err
	}
	if entry.Reason == "" { // of a defect that a session found by itself
		return nil
	}
	if err := f.add(entry.Reason); err != nil {
		return fmt.Errorf("audit entry %s: %w", data, err)
	}
	return nil
}

// readAPI reads the history of the sessions, and what the classifying user did, as the API shows
// them.
func (s *site) readAPI(ctx context.Context) (findings, error) {
	found := findings{}
	for _, id := range s.sessions {
		for c, err := range s.admin.History(ctx, id, "/items") {
			if err != nil {
				return nil, err
			}
			if err := found.add(strings.Trim(string(c.Value), `"`)); err != nil {
				return nil, err
			}
		}
	}
	for a, err := range s.admin.MyAudits(ctx) {
		if err != nil {
			return nil, err
		}
		if err := found.audit(a.Action, a.Data); err != nil {
			return nil, err
		}
	}
	return found, nil
}
