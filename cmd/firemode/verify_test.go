package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"firemode/internal/app"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// TestVerifyOneSession: what was altered in a session is found by who asks for it, its organisation or everything, and is not looked at
// by who asks for another.
func TestVerifyOneSession(t *testing.T) {
	storage := app.Storage{Data: t.TempDir()}
	w := newTeller(t, storage)
	w.tellAll()
	must(t, w.Identity.AddOrganisation(t.Context(), "other", "Other"))
	d := openSQLite(t, filepath.Join(storage.Data, "firemode.db"))
	d.exec("UPDATE items SET name = 'another' WHERE org = 'acme' AND session_id = 'two' AND id = 'FE-2'")
	const differs, session = "what is stored is not what was recorded", "DIFFERS acme session two, items"
	for _, test := range []struct {
		command  verifyCommand
		err      string
		sessions string
	}{
		{verifyCommand{}, differs, "verified 3 sessions"},
		{verifyCommand{Org: "acme"}, differs, "verified 3 sessions"},
		{verifyCommand{Org: "other"}, "", "verified 0 sessions"},
		{verifyCommand{Session: "two"}, differs, "verified 1 sessions"},
		{verifyCommand{Org: "acme", Session: "two"}, differs, "verified 1 sessions"},
		{verifyCommand{Session: "one"}, "", "verified 1 sessions"},
		{verifyCommand{Org: "acme", Session: "one"}, "", "verified 1 sessions"},
		{verifyCommand{Session: "none"}, "there is no session none", ""},
		{verifyCommand{Org: "other", Session: "two"}, "there is no session two", ""},
		{verifyCommand{Org: "none"}, "there is no organisation none", ""},
		{verifyCommand{Org: "none", Session: "two"}, "there is no organisation none", ""},
	} {
		var printed lines
		err := test.command.Run(t.Context(), &program{storage: storage, stdout: &printed, now: time.Now})
		if got := errorText(err); got != test.err {
			t.Errorf("%+v: %q, want %q", test.command, got, test.err)
		}
		found := slices.ContainsFunc(printed, func(line string) bool { return strings.HasPrefix(line, session) })
		if found != (test.err == differs) {
			t.Errorf("%+v printed %v", test.command, printed)
		}
		if test.sessions != "" && !strings.HasPrefix(printed[len(printed)-1], test.sessions) {
			t.Errorf("%+v printed %v, want %s at the end", test.command, printed, test.sessions)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestVerifyADatabaseOfAnEarlierBinary: what earlier binaries did not write is not missed.
func TestVerifyADatabaseOfAnEarlierBinary(t *testing.T) {
	storage := app.Storage{Data: t.TempDir()}
	w := newTeller(t, storage)
	w.tellAll()
	d := openSQLite(t, filepath.Join(storage.Data, "firemode.db"))
	for _, table := range []string{"audit", "audit_heads"} { // of the shared catalogue there was no log
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
		t.Fatalf("%d entries told of a secret, want one for each session", without)
	}
	wantNone(t, w.differences())
}
