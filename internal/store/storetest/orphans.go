package storetest

import (
	"context"
	"errors"
	"testing"

	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func orphanTests() []test {
	return []test{
		{"a row with an owner is no orphan", func(t *testing.T, s store.Database) {
			w := newWorld("org-one")
			w.last = nil // it is of a session that the world does not have
			update(t, s, w.create)
			createRules(t, s, newRule("", code, "1.0.0"))
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.AppendAudit(ctx, tx, "", ledger.AuditEntry{ID: "shared"})
			})
			equal(t, orphansOf(t, s), []store.Orphan(nil))
		}},
		{"a row without an owner is an orphan, returned once", func(t *testing.T, s store.Database) {
			w := newWorld("org-one")
			update(t, s, w.create)
			createRules(t, s, newRule("gone", code, "1.0.0"), newRule("gone", code, "1.1.0"))
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.AppendAudit(ctx, tx, "gone", ledger.AuditEntry{ID: "a"}, ledger.AuditEntry{ID: "b"})
			})
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return errors.Join(
					store.As[store.EntryWriter](tx).InsertEntries(ctx, ledger.SessionRef{
						Org:     "org-one",
						Session: "gone",
					}, []ledger.Entry{{Seq: 1}, {Seq: 2, Number: 2}}),
					store.As[store.OpWriter](tx).InsertOps(ctx, ledger.SessionRef{
						Org:     "org-one",
						Session: w.session.ID,
					}, []ledger.Op{{Op: crdt.Op{Path: "/note", Seq: 1}}}),
				)
			})
			equal(t, orphansOf(t, s), []store.Orphan{
				{Table: "audit", Org: "gone", Owner: "gone"},
				{Table: "audit_heads", Org: "gone", Owner: "gone"},
				{Table: "rules", Org: "gone", Owner: "gone"},
				{Table: "batches", Org: "org-one", Owner: "gone"},
				{Table: "ops", Org: "org-one", Owner: string(w.session.ID)},
				{Table: "last_results", Org: "org-one", Owner: "s0"},
			})
		}},
	}
}

func orphansOf(t *testing.T, s store.Database) []store.Orphan {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) ([]store.Orphan, error) {
		return store.As[store.OrphanReader](tx).Orphans(ctx)
	})
}
