package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"firemode"
	"firemode/client"
	"firemode/internal/store"
)

// Phones work over a line that loses one packet in five each way and resets connections: everything
// is there once, and all see the same.
func TestPacketLoss(t *testing.T) {
	l := newLink(t, 20, 3)
	data := folder(t)
	s := newSite(t, newNode(t, "--data", data), func(t *testing.T) store.Database { return openSQLite(t, data) })
	api := overTheLine(t, s, l)
	j, n, changes := newJournal(), times(20, 3), times(500, 40)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	phones := make([]*client.Device, n)
	var group sync.WaitGroup
	for i := range phones {
		phones[i] = client.NewDevice(api[i%people], session, client.DeviceConfig{})
		group.Go(func() {
			if err := errors.Join(phones[i].Pull(ctx), record(ctx, j, phones[i], i, changes)); err != nil {
				t.Errorf("phone %d: %v", i, err)
			}
		})
	}
	group.Wait()
	same := map[string]bool{}
	for _, p := range phones {
		check(t, p.Pull(ctx))
		text, err := p.Document.MarshalJSON()
		check(t, err)
		same[string(text)] = true
	}
	if len(same) != 1 {
		t.Errorf("%d phones hold %d different documents", n, len(same))
	}
	lost, resets := l.harm(t)
	if lost == 0 || full && resets == 0 {
		t.Errorf("the line lost %d packets and reset %d connections: it was too good", lost, resets)
	}
	again := s.traffic.take()[0]
	s.stop(t)
	held, err := s.readLog(t.Context(), s.open(t))
	check(t, err)
	v := j.compare(held)
	j.complain(t, "as the database holds it", v)
	if v.acked != n*changes {
		t.Errorf("%d changes are acknowledged, want %d", v.acked, n*changes)
	}
	s.verify(t)
	finish(t,
		"%d phones with %d changes each in %d s; "+
			"the line lost %d packets and reset %d connections, %d requests were lost; "+
			"%d changes acknowledged: %d lost, %d doubled; %d document",
		n, changes, int(time.Since(began).Seconds()), lost, resets, again, v.acked, v.lost, v.doubled, len(same))
}

// perBatch is how many changes a phone makes before it looks for the network.
const perBatch = 20

// record makes changes on one phone, batch by batch.
func record(ctx context.Context, j *journal, p *client.Device, index, changes int) error {
	for made := 0; made < changes; {
		var numbers []int64
		var batch []client.Change
		for ; len(batch) < perBatch && made < changes; made++ {
			n := j.send()
			item := firemode.ItemID(assetID((index + made) % assets))
			numbers = append(numbers, n)
			batch = append(batch, client.Set(client.ItemPath(item, "notes", fmt.Sprint("n", made%50)),
				client.Text(fmt.Sprint(n))))
		}
		p.Record(batch...)
		report, err := p.Sync(ctx)
		if err != nil {
			return err
		}
		if len(report.Receipts) != 1 || len(report.Forks) > 0 || len(report.Receipts[0].Missing) > 0 {
			j.problem("a batch was answered with %d receipts and %d forks", len(report.Receipts), len(report.Forks))
		}
		j.ack(numbers...)
	}
	return nil
}

// overTheLine starts the server again at the far end of a line and returns the technicians' clients
// at the near end.
func overTheLine(t *testing.T, s *site, l *link) []*client.Client {
	t.Helper()
	s.stop(t)
	s.within = []string{"ip", "netns", "exec", l.far}
	s.addr = farAddress + ":8080"
	check(t, s.start())
	through := &http.Transport{
		DialContext: l.dial, MaxIdleConnsPerHost: 100, ResponseHeaderTimeout: 20 * time.Second,
		IdleConnTimeout: time.Minute,
	}
	s.traffic = newTraffic(through)
	var list []*client.Client
	for i := range people {
		list = append(list, s.login(t, fmt.Sprintf("tech%d@acme", i), s.traffic))
	}
	return list
}

// Nothing but the far end can be reached by a link's dialer.
func TestLinkDialsTheFarEndOnly(t *testing.T) {
	var l link
	for _, address := range []string{"127.0.0.1:80", "198.18.77.1:80", "example.org:80", "198.18.77.2"} {
		if conn, err := l.dial(t.Context(), "tcp", address); err == nil || conn != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
