package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"firemode"
	"firemode/internal/store"
)

func organisationTests() []test {
	return []test{
		{"they are listed by the bytes of their ids", func(t *testing.T, s store.Database) {
			// A locale would have a, B, Ä, Z or so.
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				for _, id := range []firemode.OrgID{"a", "_", "B", "Z", "-", "1", "b", "A"} {
					if err := createOrg(ctx, tx, id); err != nil {
						return err
					}
				}
				return nil
			})
			equal(t, orgs(t, s), []firemode.OrgID{"-", "1", "A", "B", "Z", "_", "a", "b"})
		}},
		{"an id is taken once", func(t *testing.T, s store.Database) {
			update(t, s, func(ctx context.Context, tx store.Tx) error { return createOrg(ctx, tx, "o") })
			taken(t, s, "an organisation with this id exists already", func(ctx context.Context,
				tx store.Tx,
			) error {
				return createOrg(ctx, tx, "o")
			})
		}},
	}
}

func userTests() []test {
	return []test{
		{"an id is taken once in an organisation", func(t *testing.T, s store.Database) {
			createUsers(t, s, newUser("o1", "u"))
			second := newUser("o1", "u")
			second.Username = "other"
			taken(t, s, "a user with this id exists already", func(ctx context.Context, tx store.Tx) error {
				return store.As[store.UserWriter](tx).CreateUser(ctx, second)
			})
		}},
		{"a username is taken once in the world, whatever its case", func(t *testing.T, s store.Database) {
			createUsers(t, s, newUser("o1", "u"))
			second := newUser("o2", "v")
			second.Username = strings.ToUpper(newUser("o1", "u").Username)
			taken(t, s, "this username is taken", func(ctx context.Context, tx store.Tx) error {
				return store.As[store.UserWriter](tx).CreateUser(ctx, second)
			})
		}},
		{"a user belongs to an organisation that is there", func(t *testing.T, s store.Database) {
			refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
				return store.As[store.UserWriter](tx).CreateUser(ctx, newUser("o9", "u"))
			})
		}},
		{"UserByName compares without case", func(t *testing.T, s store.Database) {
			u := newUser("o1", "u")
			u.Username = "Zoë.Ångström@Δς"
			createUsers(t, s, u)
			for _, username := range []string{"Zoë.Ångström@Δς", "ZOË.ÅNGSTRÖM@ΔΣ", "zoë.ångström@δσ"} {
				got := read(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.User, error) {
					return store.As[store.UserReader](tx).UserByName(ctx, username)
				})
				equal(t, got, u)
			}
			for _, username := range []string{"Zoe.Ångström@Δς", "Zoë.Ångström@Δς ", "%", ""} {
				_, err := tryRead(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.User, error) {
					return store.As[store.UserReader](tx).UserByName(ctx, username)
				})
				wantCode(t, err, firemode.CodeNotFound)
			}
		}},
		{"UpdateUser writes what it says, to the version it was given", updateUser},
		{"they are listed oldest first", func(t *testing.T, s store.Database) {
			createUsers(t, s)
			listTest[firemode.User]{
				add: func(ctx context.Context, tx store.Tx, n int) error {
					u := newUser("o1", firemode.UserID(name("u", n)))
					u.CreatedAt = day(n / 3)
					return store.As[store.UserWriter](tx).CreateUser(ctx, u)
				},
				list: func(ctx context.Context, tx store.ReadTx, p store.Page) ([]store.Keyed[firemode.User], error) {
					return store.As[store.UserReader](tx).Users(ctx, "o1", p)
				},
				n: func(u firemode.User) int { return number(t, string(u.ID)) },
			}.stable(t, s)
		}},
		{"times before 1970 and none at all", func(t *testing.T, s store.Database) {
			old, none := newUser("o1", "old"), newUser("o1", "none")
			old.CreatedAt = time.Date(1969, 7, 20, 20, 17, 40, 1000, time.FixedZone("", 3600))
			none.CreatedAt, none.Creation = time.Time{}, nil
			createUsers(t, s, none, old)
			got := read(t, s, func(ctx context.Context, tx store.ReadTx) ([]firemode.User, error) {
				return rows(store.As[store.UserReader](tx).Users(ctx, "o1", everything()))
			})
			equal(t, got, []firemode.User{old, none})
			equal(t, got[0].CreatedAt.Location().String(), "UTC")
			equal(t, got[1].CreatedAt.IsZero(), true)
		}},
	}
}

func updateUser(t *testing.T, s store.Database) {
	u := newUser("o1", "u")
	createUsers(t, s, u)
	changed := u
	changed.FullName, changed.Role, changed.PasswordHash = "New "+awkward, firemode.RoleOwner, "x"
	changed.Disabled, changed.Generation = false, 5
	asked := changed
	asked.Username, asked.CreatedAt, asked.Creation = "not written", day(99), nil
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.UserWriter](tx).UpdateUser(ctx, asked)
	})
	changed.Version = 2
	get := func() firemode.User {
		return read(t, s, func(ctx context.Context, tx store.ReadTx) (firemode.User, error) {
			return store.As[store.UserReader](tx).User(ctx, "o1", "u")
		})
	}
	equal(t, get(), changed)
	for _, version := range []int64{0, 1, 3} {
		asked.Version = version
		refuse(t, s, firemode.CodeChanged, func(ctx context.Context, tx store.Tx) error {
			return store.As[store.UserWriter](tx).UpdateUser(ctx, asked)
		})
	}
	asked.Org = "o2"
	refuse(t, s, firemode.CodeNotFound, func(ctx context.Context, tx store.Tx) error {
		return store.As[store.UserWriter](tx).UpdateUser(ctx, asked)
	})
	equal(t, get(), changed)
}

// createUsers makes organisations "o1" and "o2" and users in them.
func createUsers(t testing.TB, s store.Database, users ...firemode.User) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for _, o := range []firemode.OrgID{"o1", "o2"} {
			if err := createOrg(ctx, tx, o); err != nil {
				return err
			}
		}
		for _, u := range users {
			if err := store.As[store.UserWriter](tx).CreateUser(ctx, u); err != nil {
				return err
			}
		}
		return nil
	})
}
