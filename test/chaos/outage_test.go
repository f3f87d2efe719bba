package chaos

import (
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgreSQL goes away in the ways that leave no time for anything, while the server goes on.
func TestPostgresGoesAway(t *testing.T) {
	for _, test := range []struct {
		name string
		harm func(*testing.T, *cluster)
	}{
		{"stopped", func(t *testing.T, c *cluster) {
			check(t, c.signal(syscall.SIGQUIT)) // its immediate mode: no checkpoint, clients are cut off
			time.Sleep(100 * time.Millisecond)
			check(t, c.start(t.Context()))
		}},
		{
			"crashed",
			func(t *testing.T,
				c *cluster,
			) { // one process that dies takes all others with it, and PostgreSQL recovers by itself
				for _, pid := range backends(t, c)[:1] {
					check(t, syscall.Kill(pid, syscall.SIGKILL))
				}
			},
		},
		{"terminates backends", func(t *testing.T, c *cluster) {
			conn, err := pgx.Connect(t.Context(), c.url())
			check(t, err)
			defer conn.Close(t.Context())
			_, err = conn.Exec(t.Context(),
				`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE application_name = 'firemode' AND random() < 0.7`)
			check(t, err)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name != "stopped" {
				skipUnlessFull(t)
			}
			c := onFolder(t)
			check(t, c.start(t.Context()))
			s := onPostgres(t, c)
			crew, moments, rounds := newCrew(s), chance(t.Name()), times(25, 2)
			crew.during(t, func() {
				for range rounds {
					time.Sleep(100*time.Millisecond + time.Duration(moments.IntN(300))*time.Millisecond)
					test.harm(t, c)
					crew.journal.await(t, 20)
				}
			})
			counts := s.traffic.take()
			s.traffic.clean(t, counts)
			crew.agree(t)
			operations, paths := crew.registers.check(t)
			v := s.audit(t, crew.journal)
			finish(t,
				"%d times; %d responses were 503; %d changes acknowledged: %d lost, %d doubled; "+
					"%d operations on %d registers are linearizable",
				rounds, counts[503], v.acked, v.lost, v.doubled, operations, paths)
		})
	}
}

// backends returns the processes of PostgreSQL that serve the server.
func backends(t *testing.T, c *cluster) []int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.url())
	check(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(),
		"SELECT pid FROM pg_stat_activity WHERE application_name = 'firemode' ORDER BY pid")
	check(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[int])
	check(t, err)
	if len(list) == 0 {
		t.Fatal("the server has no connection to PostgreSQL")
	}
	return list
}
