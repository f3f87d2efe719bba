package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

func sessionTests() []test {
	return []test{
		{"an id is taken once in an organisation", func(t *testing.T, s store.Database) {
			createSessions(t, s, 1)
			taken(t, s, "a session with this id exists already", func(ctx context.Context, tx store.Tx) error {
				return store.As[store.SessionWriter](tx).CreateSession(ctx, firemode.Session{
					Org: "o", ID: "s-0000",
					Building: "b",
				}, ledger.Head{})
			})
		}},
		{"a session belongs to a building that is there", func(t *testing.T, s store.Database) {
			createSessions(t, s, 0)
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.SessionWriter](tx).CreateSession(ctx, firemode.Session{
					Org: "o", ID: "s",
					Building: "b2",
				}, ledger.Head{})
			})
		}},
		{"UpdateSession writes what it says, and moves the session between lists", updateSession},
		{"a head is written whole, and no other's", saveHead},
		{"every filter finds what a plain look at each session finds", sessionFilters},
		{"they are listed newest first", func(t *testing.T, s store.Database) {
			createSessions(t, s, 0)
			listTest[firemode.Session]{
				add: func(ctx context.Context, tx store.Tx, n int) error {
					statuses := []firemode.SessionStatus{
						firemode.SessionActive, firemode.SessionPending,
						firemode.SessionCompleted, firemode.SessionReopened,
					}
					technicians := [][]firemode.UserID{nil, {"t1"}, {"t1", "t2"}}
					return store.As[store.SessionWriter](tx).CreateSession(ctx, firemode.Session{
						Org: "o", ID: firemode.SessionID(name("s", n)), Building: "b", Status: statuses[n%4],
						Technicians: technicians[n%3],
						Version:     1, CreatedAt: day(n / 3),
					}, ledger.Head{})
				},
				list: func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[firemode.Session],
					error,
				) {
					return store.As[store.SessionReader](tx).Sessions(ctx, "o", store.SessionFilter{VisibleTo: "t1"}, p)
				},
				n:      func(s firemode.Session) int { return number(t, string(s.ID)) },
				newest: true,
			}.stable(t, s)
		}},
		{"a walk is not disturbed by sessions that change their status", walkWhileStatusesChange},
		{"a later visit's finding is never replaced by an earlier one", lastResults},
	}
}

func sessionOf(t testing.TB, s store.Database, id firemode.SessionID) firemode.Session {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.Session, error) {
		return store.As[store.SessionReader](tx).Session(ctx, "o", id)
	})
}

func sessionIDs(t testing.TB, s store.Database, f store.SessionFilter) (ids []firemode.SessionID) {
	t.Helper()
	list := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.Session, error) {
		return rows(store.As[store.SessionReader](tx).Sessions(ctx, "o", f, everything()))
	})
	for _, x := range list {
		ids = append(ids, x.ID)
	}
	return ids
}

func updateSession(t *testing.T, s store.Database) {
	createSessions(t, s, 2)
	x := sessionOf(t, s, "s-0000")
	x.Name, x.Status, x.Reason, x.Technicians = awkward, firemode.SessionCompleted, "why "+awkward,
		[]firemode.UserID{"t2", "t1", "t2"}
	x.CompletedAt, x.ItemCount, x.CheckCount = day(9), 11, 29
	asked := x
	asked.Building, asked.Frequency, asked.CreatedAt, asked.CreatedBy, asked.Creation = "b2", firemode.Weekly, day(99),
		"u", []byte{1}
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.SessionWriter](tx).UpdateSession(ctx, asked)
	})
	x.Version = 2
	equal(t, sessionOf(t, s, "s-0000"), x)
	for _, c := range []struct {
		filter store.SessionFilter
		want   []firemode.SessionID
	}{
		{store.SessionFilter{}, []firemode.SessionID{"s-0001", "s-0000"}},
		{
			store.SessionFilter{Statuses: []firemode.SessionStatus{firemode.SessionPending}},
			[]firemode.SessionID{"s-0001"},
		},
		{
			store.SessionFilter{Statuses: []firemode.SessionStatus{firemode.SessionCompleted}, Building: "b"},
			[]firemode.SessionID{"s-0000"},
		},
		{store.SessionFilter{Technician: "t2"}, []firemode.SessionID{"s-0000"}},
		{store.SessionFilter{VisibleTo: "t3"}, []firemode.SessionID{"s-0001"}},
		{store.SessionFilter{Building: "b2"}, nil},
	} {
		equal(t, sessionIDs(t, s, c.filter), c.want)
	}
	refuse(t, s, firemode.CodeChanged, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.SessionWriter](tx).UpdateSession(ctx, asked)
	})
	asked.Org = "o2"
	refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.SessionWriter](tx).UpdateSession(ctx, asked)
	})
	equal(t, sessionOf(t, s, "s-0000"), x)
}

func saveHead(t *testing.T, s store.Database) {
	ids := createSessions(t, s, 2)
	first, second := sessionOf(t, s, ids[0]), sessionOf(t, s, ids[1])
	head := newWorld("o").head
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.SessionWriter](tx).SaveHead(ctx, "o", ids[0], head)
	})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		locked, err := store.As[store.SessionWriter](tx).LockSessions(ctx, "o", ids)
		equal(t, locked, []store.LockedSession{{Session: first, Head: head}, {Session: second}})
		return err
	})
	refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.SessionWriter](tx).SaveHead(ctx, "o2", ids[0], head)
	})
}

// population makes sessions with every mix of what filters ask for, many of them created at the
// same moment.
func population(t testing.TB, s store.Database) (sessions []firemode.Session,
	owners map[firemode.BuildingID][]firemode.UserID,
) {
	t.Helper()
	owners = map[firemode.BuildingID][]firemode.UserID{"b0": {"owner1"}, "b1": {"owner1", "owner2"}, "b2": nil}
	technicians := [][]firemode.UserID{nil, {"t1"}, {"t2"}, {"t1", "t2"}, {"t3"}}
	statuses := []firemode.SessionStatus{
		firemode.SessionPending, firemode.SessionActive, firemode.SessionCompleted,
		firemode.SessionReopened,
	}
	createBuildings(t, s, newBuilding("b0", "B0", "", owners["b0"]...), newBuilding("b1", "B1", "", owners["b1"]...),
		newBuilding("b2", "B2", ""))
	for n := range 180 {
		sessions = append(sessions, firemode.Session{
			Org: "o", ID: firemode.SessionID(name("s", n*37%180)), Building: []firemode.BuildingID{
				"b0", "b1",
				"b2",
			}[n%3],
			Technicians: technicians[n%5], Status: statuses[n%4], Version: 1, CreatedAt: day(n / 12),
		})
	}
	update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
		for _, x := range sessions {
			err = errors.Join(err, store.As[store.SessionWriter](tx).CreateSession(ctx, x, ledger.Head{}))
		}
		return err
	})
	slices.SortFunc(sessions, func(a, b firemode.Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return sessions, owners
}

func sessionFilters(t *testing.T, s store.Database) {
	sessions, owners := population(t, s)
	fits := func(f store.SessionFilter, x firemode.Session) bool {
		return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, x.Status)) &&
			(f.Building == "" || f.Building == x.Building) &&
			(f.Technician == "" || slices.Contains(x.Technicians, f.Technician)) &&
			(f.VisibleTo == "" || len(x.Technicians) == 0 || slices.Contains(x.Technicians, f.VisibleTo)) &&
			(f.OwnedBy == "" || slices.Contains(owners[x.Building], f.OwnedBy)) &&
			!x.CreatedAt.Before(f.From) && (f.To.IsZero() || x.CreatedAt.Before(f.To))
	}
	user := rapid.SampledFrom([]firemode.UserID{"", "t1", "t2", "t9", "*", "@t1"})
	moment := rapid.Custom(func(r *rapid.T) (at time.Time) {
		if rapid.Bool().Draw(r, "bounded") {
			at = day(rapid.IntRange(-1, 16).Draw(r, "day"))
		}
		return at
	})
	rapid.Check(t, func(r *rapid.T) {
		f := store.SessionFilter{
			Statuses: rapid.SliceOfN(rapid.SampledFrom([]firemode.SessionStatus{
				firemode.SessionPending, firemode.SessionActive, firemode.SessionCompleted, firemode.SessionReopened,
				"unknown",
			}), 0, 3).Draw(r, "statuses"),
			Building:   rapid.SampledFrom([]firemode.BuildingID{"", "b0", "b1", "b2", "b9"}).Draw(r, "building"),
			Technician: user.Draw(r, "technician"), VisibleTo: user.Draw(r, "visible to"),
			OwnedBy: rapid.SampledFrom([]firemode.UserID{"", "owner1", "owner2", "owner3"}).Draw(r, "owned by"),
			From:    moment.Draw(r, "from"), To: moment.Draw(r, "to"),
		}
		var want []firemode.SessionID
		for _, x := range sessions {
			if fits(f, x) {
				want = append(want, x.ID)
			}
		}
		var got []firemode.SessionID
		for _, x := range walk(t, s, rapid.IntRange(7, 200).Draw(r, "limit"), func(int) {},
			func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[firemode.Session], error) {
				return store.As[store.SessionReader](tx).Sessions(ctx, "o", f, p)
			}) {
			got = append(got, x.ID)
		}
		if !slices.Equal(got, want) {
			r.Fatalf("filter %+v: got %v, want %v", f, got, want)
		}
	})
}

func walkWhileStatusesChange(t *testing.T, s store.Database) {
	ids := createSessions(t, s, 30)
	var got []firemode.SessionID
	for _, x := range walk(t, s, 4, func(page int) {
		update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
			for n := page; n < 30; n += 3 {
				x, readErr := store.As[store.SessionReader](tx).Session(ctx, "o", ids[n])
				x.Status = []firemode.SessionStatus{firemode.SessionActive, firemode.SessionCompleted}[page%2]
				x.Technicians = []firemode.UserID{"t1"}
				err = errors.Join(err, readErr, store.As[store.SessionWriter](tx).UpdateSession(ctx, x))
			}
			return err
		})
	}, func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[firemode.Session], error) {
		return store.As[store.SessionReader](tx).Sessions(ctx, "o", store.SessionFilter{VisibleTo: "t1"}, p)
	}) {
		got = append(got, x.ID)
	}
	slices.Reverse(got)
	equal(t, got, ids)
}

func lastResults(t *testing.T, s store.Database) {
	createSessions(t, s, 0)
	result := func(session firemode.SessionID, at int) firemode.LastResult {
		return firemode.LastResult{
			Session: session, CompletedAt: day(at), Outcome: string(session),
			Measurements: map[string]string{"x": "1.0"},
		}
	}
	save := func(found map[firemode.ItemID]firemode.LastResult) {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return store.As[store.SessionWriter](tx).SaveLastResults(ctx, "o", "b", found)
		})
	}
	save(map[firemode.ItemID]firemode.LastResult{"i1": result("s2", 5), "i2": result("s2", 5)})
	save(map[firemode.ItemID]firemode.LastResult{"i1": result("s1", 4), "i3": result("s1", 4)})
	save(map[firemode.ItemID]firemode.LastResult{"i2": result("s3", 6)})
	save(nil)
	got := read(t, s, func(ctx context.Context, tx store.ReadTx) (map[firemode.ItemID]firemode.LastResult, error) {
		return store.As[store.SessionReader](tx).LastResults(ctx, "o", "b")
	})
	equal(t, got, map[firemode.ItemID]firemode.LastResult{
		"i1": result("s2", 5), "i2": result("s3", 6),
		"i3": result("s1", 4),
	})
}
