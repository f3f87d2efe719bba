package chaos

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"firemode"
	"firemode/client"
)

// connections is how many clients leave at the same time.
const connections = 64

// Clients leave in the middle of an upload, and right after its last byte. Nothing of them stays
// behind: no goroutine, connection, transaction or lock; and the next request is as fast as before.
// Of what was cut off nothing is there, what was whole is there once.
func TestClientsLeave(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testLeaving(t, onSQLite(t), nil) })
	t.Run("postgres", func(t *testing.T) {
		skipUnlessFull(t)
		c := onFolder(t)
		check(t, c.start(t.Context()))
		testLeaving(t, onPostgres(t, c), c)
	})
}

func testLeaving(t *testing.T, s *site, c *cluster) {
	j, n := newJournal(), times(1000, 100)
	leaving := &leaver{site: s, journal: j, token: s.admin.Tokens().Access}
	settled := s.settled(t)
	before := s.pace(t, j, 0)
	leaving.all(t, n, leaving.inTheMiddle)
	if left := s.settled(t); left > settled+2 {
		t.Errorf("%d goroutines before and %d after %d uploads were aborted", settled, left, n)
	}
	leaving.all(t, n, leaving.afterTheLastByte)
	s.awaitLog(t, j)
	left := s.settled(t)
	if left > settled+2 {
		t.Errorf("%d goroutines before and %d after %d clients left without their answer", settled, left, n)
	}
	if c != nil {
		c.idle(t)
	}
	after := s.pace(t, j, before)
	ratio := float64(after) / float64(before)
	if ratio > 1.5 {
		t.Errorf("a request takes %s, and took %s before", after, before)
	}
	v := s.audit(t, j)
	finish(t,
		"%d aborted in the middle, %d after the last byte, at %d connections; "+
			"%d goroutines before, %d after; a request takes %.2f times as long; "+
			"of %d complete requests %d are lost, %d doubled",
		n, n, connections, settled, left, ratio, v.acked, v.lost, v.doubled)
}

// leaver sends uploads by hand, as no client of ours would.
type leaver struct {
	*site
	journal *journal
	token   string
}

// all has n clients leave, so many at a time.
func (l *leaver) all(t *testing.T, n int, leave func() error) {
	t.Helper()
	var group sync.WaitGroup
	work := make(chan struct{})
	for range connections {
		group.Go(func() {
			for range work {
				if err := leave(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range n {
		work <- struct{}{}
	}
	close(work)
	group.Wait()
}

// request is an upload of one change; rest is the last part of its body.
func (l *leaver) request(number int64) (most, rest []byte) {
	padding := strings.Repeat(" ", 20<<10)
	body := fmt.Sprintf(`{"changes": [{"op": "set", "path": "/items/left/note%d", "value": "%d"}],%s "_sync_meta": {}}`,
		number, number, padding)
	head := fmt.Sprintf("POST /v1/tests/sessions/%s/results HTTP/1.1\r\n"+
		"Host: %s\r\nAuthorization: Bearer %s\r\nIdempotency-Key: left-%d\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", session, l.addr, l.token, number, len(body))
	half := len(body) / 2
	return []byte(head + body[:half]), []byte(body[half:])
}

// inTheMiddle sends half a body. One client in two resets the connection, the other closes it.
func (l *leaver) inTheMiddle() error {
	number := l.journal.send()
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if number%2 == 0 {
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			return err
		}
	}
	most, _ := l.request(number)
	_, err = conn.Write(most)
	return err
}

// afterTheLastByte sends everything and does not wait for the answer. The request is whole, so it
// counts: the journal takes it for acknowledged.
func (l *leaver) afterTheLastByte() error {
	number := l.journal.send()
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	most, rest := l.request(number)
	if _, err := conn.Write(bytes.Join([][]byte{most, rest}, nil)); err != nil {
		return err
	}
	l.journal.ack(number)
	return nil
}

// awaitLog returns when everything that is acknowledged is shown: nobody has waited for those that
// left.
func (s *site) awaitLog(t *testing.T, j *journal) {
	t.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		found, err := s.readAPI(t.Context())
		check(t, err)
		v := j.compare(found)
		if v.lost == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("of %d requests that were sent to the last byte %d are not there", v.acked, v.lost)
		}
	}
}

// pace is how long a request takes, in the middle of many. Others use the machine too, so the best
// of some rounds counts; no more rounds are made once it is as good as wanted.
func (s *site) pace(t *testing.T, j *journal, wanted time.Duration) time.Duration {
	t.Helper()
	best := time.Hour
	for range 5 {
		if best = min(best, s.round(t, j)); best <= wanted {
			break
		}
	}
	return best
}

func (s *site) round(t *testing.T, j *journal) time.Duration {
	t.Helper()
	var took []time.Duration
	for range times(200, 50) {
		n := j.send()
		began := time.Now()
		_, err := s.admin.SubmitResults(t.Context(), session, fmt.Sprint("pace-", n), client.Submission{
			Changes: []client.Change{client.Set(client.ItemPath(firemode.ItemID(assetID(0)), "note"),
				client.Text(fmt.Sprint(n)))},
		})
		check(t, err)
		took = append(took, time.Since(began))
		j.ack(n)
	}
	return median(took)
}

// settled is how many goroutines the server has when nobody but us is connected, and it has been so
// for a moment.
func (s *site) settled(t *testing.T) int {
	t.Helper()
	last, since := 0, time.Now()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		goroutines, connected := s.gauge(t, "go_goroutines"), s.gauge(t, "active_connections")
		if goroutines != last || connected > 1 {
			last, since = goroutines, time.Now()
		}
		if time.Since(since) > 500*time.Millisecond {
			return goroutines
		}
	}
	t.Fatalf("the server does not come to rest: %d goroutines, %d connections", s.gauge(t, "go_goroutines"),
		s.gauge(t, "active_connections"))
	return 0
}

// gauge reads one number from /metrics, over the connection that the admin uses anyway.
func (s *site) gauge(t *testing.T, name string) int {
	t.Helper()
	read, write := io.Pipe()
	go func() { write.CloseWithError(s.admin.Metrics(t.Context(), write)) }()
	defer read.Close()
	value := -1
	for lines := bufio.NewScanner(read); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(text, 64)
			check(t, err)
			value = int(n)
		}
	}
	if value < 0 {
		t.Fatalf("there is no metric %s", name)
	}
	return value
}

// idle fails the test if the server holds a transaction or a lock.
func (c *cluster) idle(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, c.url())
	check(t, err)
	defer conn.Close(ctx)
	var busy, locks, connected int
	check(t, conn.QueryRow(ctx,
		`SELECT count(*) FILTER (WHERE state <> 'idle'), count(*) FROM pg_stat_activity
		WHERE application_name = 'firemode'`).Scan(&busy, &connected))
	check(t, conn.QueryRow(ctx,
		`SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE a.application_name = 'firemode'`).Scan(&locks))
	if busy > 0 || locks > 0 || connected > 16 {
		t.Errorf("of %d connections to PostgreSQL %d are not idle; they hold %d locks", connected, busy, locks)
	}
}
