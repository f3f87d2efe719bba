package app

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"firemode/internal/record/ledger"
	"firemode/internal/record/verify"
	"firemode/internal/store"
)

func TestVerify_Scope_OnlyItsSessions(t *testing.T) {
	t.Parallel()
	storage := Storage{Data: t.TempDir()}
	w := newHistory(t, storage)
	w.recordAll()
	must(t, w.Identity.AddOrganisation(t.Context(), "other", "Other"))
	d := openSQLite(t, filepath.Join(storage.Data, databaseFile))
	d.exec("UPDATE items SET name = 'another' WHERE org = 'acme' AND session_id = 'two' AND id = 'FE-2'")
	for _, test := range []struct {
		scope    verify.Scope
		err      string
		sessions int
		differs  bool
	}{
		{verify.Scope{}, "", 3, true},
		{verify.Scope{Org: "acme"}, "", 3, true},
		{verify.Scope{Org: "other"}, "", 0, false},
		{verify.Scope{Session: "two"}, "", 1, true},
		{verify.Scope{Org: "acme", Session: "two"}, "", 1, true},
		{verify.Scope{Session: "one"}, "", 1, false},
		{verify.Scope{Org: "acme", Session: "one"}, "", 1, false},
		{verify.Scope{Session: "none"}, "there is no session none", 0, false},
		{verify.Scope{Org: "other", Session: "two"}, "there is no session two", 0, false},
		{verify.Scope{Org: "none"}, "there is no organisation none", 0, false},
		{verify.Scope{Org: "none", Session: "two"}, "there is no organisation none", 0, false},
	} {
		var found []string
		v, err := w.Verifier(func(where, what string) { found = append(found, where+": "+what) }, nil)
		must(t, err)
		totals, err := v.Run(t.Context(), test.scope)
		if got := errorText(err); got != test.err || totals.Sessions != test.sessions {
			t.Errorf(
				"%+v: %d sessions, error %q, want %d, %q", test.scope, totals.Sessions, got, test.sessions,
				test.err,
			)
		}
		differs := slices.ContainsFunc(found, func(line string) bool {
			return strings.HasPrefix(line, "acme session two, items")
		})
		if differs != test.differs {
			t.Errorf("%+v found %v", test.scope, found)
		}
	}
}

// Earlier binaries did not write everything that verify checks today.
func TestVerify_DatabaseOfEarlierBinary_NoDifference(t *testing.T) {
	t.Parallel()
	storage := Storage{Data: t.TempDir()}
	w := newHistory(t, storage)
	w.recordAll()
	d := openSQLite(t, filepath.Join(storage.Data, databaseFile))
	for _, table := range []string{"audit", "audit_heads"} { // the shared catalogue had no log
		_, err := d.ExecContext(t.Context(), "DELETE FROM "+table+" WHERE org = ''")
		must(t, err)
	}
	secret := regexp.MustCompile(`,"secret_digest":"[^"]*"`)
	var log []ledger.AuditEntry
	must(t, w.Store.View(t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AuditReader](tx).EachAudit(t.Context(), "acme", func(e ledger.AuditEntry) error {
			log = append(log, e)
			return nil
		})
	}))
	var last ledger.AuditEntry
	without := 0
	for _, e := range log {
		if secret.Match(e.Data) {
			without++
		}
		e.Data = secret.ReplaceAll(e.Data, nil)
		last = e.Seal(e.Seq, last.Hash)
		d.exec(
			"UPDATE audit SET data = ?, prev = ?, hash = ? WHERE org = 'acme' AND seq = ?", last.Data,
			last.Prev, last.Hash, last.Seq,
		)
	}
	d.exec("UPDATE audit_heads SET hash = ? WHERE org = 'acme'", last.Hash)
	if without != 3 {
		t.Fatalf("%d entries had a secret digest, want one for each session", without)
	}
	wantNone(t, w.differences())
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
