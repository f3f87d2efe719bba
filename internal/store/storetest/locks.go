package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// Writers and rounds of the lock tests.
const (
	writers = 8
	rounds  = 12
)

// race runs fn in several goroutines, each in an Update, again and again. Every Update must
// succeed.
func race(t *testing.T, s store.Database, fn func(ctx context.Context, tx store.Tx, writer int) error) {
	t.Helper()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for range rounds {
				if err := s.Update(t.Context(), func(tx store.Tx) error { return fn(t.Context(), tx, w) }); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	all.Wait()
}

func lockTests() []test { return slices.Concat(counterTests(), rowLockTests()) }

func counterTests() []test {
	return []test{
		{"counting under LockSessions loses nothing, whatever the order of ids", func(t *testing.T, s store.Database) {
			ids := createSessions(t, s, 5)
			race(t, s, func(ctx context.Context, tx store.Tx, w int) error {
				ask := slices.Clone(ids)
				if w%2 == 1 {
					slices.Reverse(ask)
				}
				locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, "o", append(ask, "absent"))
				for _, l := range locked {
					l.Head.Seq++
					err = errors.Join(err, store.As[store.SessionWriter](tx).SaveHead(ctx, "o", l.Session.ID, l.Head))
				}
				return err
			})
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, "o", []firemode.SessionID{
					ids[4],
					ids[0], ids[2], ids[3], ids[1], ids[0],
				})
				var got []firemode.SessionID
				for _, l := range locked {
					equal(t, l.Head.Seq, int64(writers*rounds))
					got = append(got, l.Session.ID)
				}
				equal(t, got, ids)
				return err
			})
		}},
		{"the log of each organisation is one chain", func(t *testing.T, s store.Database) {
			race(t, s, func(ctx context.Context, tx store.Tx, w int) error {
				org := firemode.OrgID(name("org", w%2))
				seq, _, err := store.As[store.AuditWriter](tx).LockAudit(ctx, org)
				a := ledger.AuditEntry{ID: firemode.AuditID(name("a", int(seq))), Data: []byte("{}")}
				b := a
				b.ID += "b"
				return errors.Join(err, store.AppendAudit(ctx, tx, org, a, b))
			})
			for _, org := range []firemode.OrgID{"org-0000", "org-0001"} {
				equal(t, chainLength(t, s, org), int64(writers*rounds))
			}
		}},
	}
}

func rowLockTests() []test {
	return []test{
		{"changing a building under LockBuilding finds its version", func(t *testing.T, s store.Database) {
			createSessions(t, s, 0)
			race(t, s, func(ctx context.Context, tx store.Tx, _ int) error {
				b, err := store.As[store.BuildingWriter](tx).LockBuilding(ctx, "o", "b")
				if err != nil {
					return err
				}
				return store.As[store.BuildingWriter](tx).UpdateBuilding(ctx, b)
			})
			b := read(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.Building, error) {
				return store.As[store.BuildingReader](tx).Building(ctx, "o", "b")
			})
			equal(t, b.Version, int64(1+writers*rounds))
		}},
		{"a refresh token is used once", func(t *testing.T, s store.Database) {
			token := firemode.RefreshToken{Hash: []byte("h"), Org: "o", User: "u", Family: "f"}
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.TokenWriter](tx).CreateRefreshToken(ctx, token)
			})
			used := make(chan int, writers*rounds)
			race(t, s, func(ctx context.Context, tx store.Tx, w int) error {
				r, err := store.As[store.TokenWriter](tx).LockRefreshToken(ctx, token.Hash)
				if err != nil || !r.UsedAt.IsZero() {
					return err
				}
				r.UsedAt = tx.Now()
				tx.AfterCommit(func() { used <- w })
				return store.As[store.TokenWriter](tx).UseRefreshToken(ctx, r)
			})
			equal(t, len(used), 1)
		}},
		{"locking what is not there", func(t *testing.T, s store.Database) {
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				_, err := store.As[store.BuildingWriter](tx).LockBuilding(ctx, "o", "b")
				return err
			})
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				_, err := store.As[store.TokenWriter](tx).LockRefreshToken(ctx, []byte("h"))
				return err
			})
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, "o", []firemode.SessionID{"s"})
				equal(t, locked, nil)
				return err
			})
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				seq, hash, err := store.As[store.AuditWriter](tx).LockAudit(ctx, "o")
				equal(t, seq, 0)
				equal(t, hash, nil)
				return err
			})
		}},
	}
}

// chainLength checks that every entry of the log is sealed onto the one before it.
func chainLength(t *testing.T, s store.Database, org firemode.OrgID) int64 {
	t.Helper()
	var last ledger.AuditEntry
	err := s.View(t.Context(), func(tx store.ReadTx) error {
		return store.As[store.AuditReader](tx).EachAudit(t.Context(), org, func(e ledger.AuditEntry) error {
			equal(t, e.Seq, last.Seq+1)
			equal(t, e.Prev, last.Hash)
			equal(t, e.Sealed(), true)
			last = e
			return nil
		})
	})
	equal(t, err, nil)
	return last.Seq
}

// createSessions makes organisation "o" with building "b" and n sessions in it.
func createSessions(t testing.TB, s store.Database, n int) (ids []firemode.SessionID) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		err := errors.Join(createOrg(ctx, tx, "o"), store.As[store.BuildingWriter](tx).CreateBuilding(ctx,
			firemode.Building{Org: "o", ID: "b", Name: "B", Version: 1, CreatedAt: day(0)}))
		for i := range n {
			id := firemode.SessionID(name("s", i))
			ids = append(ids, id)
			err = errors.Join(err, store.As[store.SessionWriter](tx).CreateSession(ctx, firemode.Session{
				Org: "o", ID: id, Building: "b", Status: firemode.SessionPending, Version: 1, CreatedAt: day(i),
			}, ledger.Head{}))
		}
		return err
	})
	return ids
}
