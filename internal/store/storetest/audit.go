package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func auditTests() []test { return slices.Concat(auditWriteTests(), auditReadTests()) }

func auditWriteTests() []test {
	return []test{
		{
			"entries are sealed onto each other, at the time of the transaction unless they say another",
			func(t *testing.T, s store.Database) {
				var now time.Time
				update(t, s, func(ctx context.Context, tx store.Tx) error {
					now = tx.Now()
					return store.AppendAudit(ctx, tx, "o", ledger.AuditEntry{ID: "a", Data: []byte("{}")},
						ledger.AuditEntry{ID: "b", At: day(1), User: "u", Action: "x", Subject: awkward})
				})
				list := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]ledger.AuditEntry, error) {
					return rows(store.As[store.AuditReader](tx).Audits(ctx, "o", "", everything()))
				})
				first := ledger.AuditEntry{Org: "o", ID: "a", At: now, Data: []byte("{}")}.Seal(1, nil)
				second := ledger.AuditEntry{
					Org: "o", ID: "b", At: day(1), User: "u", Action: "x",
					Subject: awkward,
				}.Seal(2, first.Hash)
				equal(t, list, []ledger.AuditEntry{second, first})
				equal(t, chainLength(t, s, "o"), 2)
			},
		},
		{"an update that is undone leaves the log as it was", func(t *testing.T, s store.Database) {
			appendEntry := func(id firemode.AuditID, then error) error {
				return s.Update(t.Context(), func(tx store.Tx) error {
					return errors.Join(store.AppendAudit(t.Context(), tx, "o", ledger.AuditEntry{ID: id}), then)
				})
			}
			equal(t, appendEntry("a", nil), nil)
			equal(t, errors.Is(appendEntry("b", errTest), errTest), true)
			equal(t, appendEntry("b", nil), nil)
			equal(t, chainLength(t, s, "o"), 2)
		}},
		{"a number or an id is taken once", func(t *testing.T, s store.Database) {
			insert := func(seq int64, id firemode.AuditID) func(ctx context.Context, tx store.Tx) error {
				return func(ctx context.Context, tx store.Tx) error {
					return store.As[store.AuditWriter](tx).InsertAudit(ctx,
						[]ledger.AuditEntry{ledger.AuditEntry{Org: "o", ID: id}.Seal(seq, nil)})
				}
			}
			update(t, s, insert(1, "a"))
			taken(t, s, "another entry was added to the audit log meanwhile", insert(1, "b"))
			taken(t, s, "an audit entry with this id exists already", insert(2, "a"))
			equal(t, chainLength(t, s, "o"), 1)
		}},
	}
}

func auditReadTests() []test {
	return []test{
		{
			"a long log is read in order, with the transaction in use meanwhile, until its function fails",
			func(t *testing.T, s store.Database) {
				const n = 1100
				update(t, s, func(ctx context.Context, tx store.Tx) error {
					entries := make([]ledger.AuditEntry, n)
					for i := range entries {
						entries[i].ID = firemode.AuditID(name("a", i))
					}
					return store.AppendAudit(ctx, tx, "o", entries...)
				})
				seen := int64(0)
				err := s.View(t.Context(), func(tx store.ReadTx) error {
					return store.As[store.AuditReader](tx).EachAudit(t.Context(), "o", func(e ledger.AuditEntry) error {
						seen++
						equal(t, e.Seq, seen)
						if seen == n-1 {
							return errTest
						}
						_, err := store.As[store.AuditReader](tx).Audits(t.Context(), "o", "", store.Page{Limit: 1})
						return err
					})
				})
				equal(t, errors.Is(err, errTest), true)
				equal(t, seen, n-1)
			},
		},
		{"they are listed newest first", func(t *testing.T, s store.Database) {
			for _, user := range []firemode.UserID{"", "u"} {
				// An audit log grows at its end alone: what is added meanwhile is newer than all of
				// the walk.
				for n := range 10 {
					update(t, s, func(ctx context.Context, tx store.Tx) error {
						return store.AppendAudit(ctx, tx, "o", ledger.AuditEntry{ID: firemode.AuditID("x" +
							name(string(user), n)), User: "u"},
							ledger.AuditEntry{ID: firemode.AuditID("y" + name(string(user), n)), User: "v"})
					})
				}
				list := func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[ledger.AuditEntry],
					error,
				) {
					return store.As[store.AuditReader](tx).Audits(ctx, "o", user, p)
				}
				before := walk(t, s, 1000, func(int) {}, list)
				during := walk(t, s, 3, func(page int) {
					update(t, s, func(ctx context.Context, tx store.Tx) error {
						return store.AppendAudit(ctx, tx, "o", ledger.AuditEntry{ID: firemode.AuditID("z" +
							name(string(user), page)), User: "u"})
					})
				}, list)
				equal(t, during, before)
				listTest[ledger.AuditEntry]{list: list}.malformed(t, s)
			}
		}},
	}
}
