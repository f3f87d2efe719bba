package chaos

import (
	"testing"
	"time"

	"firemode/internal/store"
)

// onEachEngine runs a test on each engine, the database on the machine's own disk.
func onEachEngine(t *testing.T, test func(t *testing.T, s *site)) {
	t.Run("sqlite", func(t *testing.T) { test(t, onSQLite(t)) })
	t.Run("postgres", func(t *testing.T) {
		c := onFolder(t)
		check(t, c.start(t.Context()))
		test(t, onPostgres(t, c))
	})
}

func onSQLite(t *testing.T) *site {
	t.Helper()
	data := folder(t)
	return newSite(t, newNode(t, "--data", data), func(t *testing.T) store.Database { return openSQLite(t, data) })
}

func onPostgres(t *testing.T, c *cluster) *site {
	t.Helper()
	return newSite(t, newNode(t, "--data", folder(t), "--db-url", c.url()),
		func(t *testing.T) store.Database { return openPostgres(t, c.url()) })
}

// The server is killed at moments drawn by chance while clients work, and started again on the same
// data.
func TestKill(t *testing.T) {
	onEachEngine(t, func(t *testing.T, s *site) {
		crew, moments, kills := newCrew(s), chance("kill"), times(200, 3)
		crew.addCloser(t, s)
		var down []time.Duration
		crew.during(t, func() {
			for i := range kills {
				time.Sleep(100*time.Millisecond + time.Duration(moments.IntN(400))*time.Millisecond)
				check(t, s.kill())
				again := time.Now()
				check(t, s.start())
				down = append(down, time.Since(again))
				if (i+1)%50 == 0 {
					say("%s: %d kills, %d changes acknowledged", t.Name(), i+1, crew.journal.acknowledged())
				}
			}
		})
		s.traffic.clean(t, s.traffic.take())
		crew.agree(t)
		operations, paths := crew.registers.check(t)
		v := s.audit(t, crew.journal)
		finish(t,
			"%d kills, up again in %d ms (median); %d changes acknowledged: %d lost, %d doubled; "+
				"%d operations on %d registers are linearizable",
			kills, median(down).Milliseconds(), v.acked, v.lost, v.doubled, operations, paths)
	})
}

// audit compares the journal with what the API shows and, once the server has stopped, with what
// the database holds.
func (s *site) audit(t *testing.T, j *journal) verdict {
	t.Helper()
	shown, err := s.readAPI(t.Context())
	check(t, err)
	j.complain(t, "as the API shows it", j.compare(shown))
	s.stop(t)
	held, err := s.readLog(t.Context(), s.open(t))
	check(t, err)
	v := j.compare(held)
	j.complain(t, "as the database holds it", v)
	s.verify(t)
	return v
}
