package chaos

import (
	"testing"
	"time"

	"firemode/test/chaos/disk"
)

// The disk fails while clients work, and is in order again: every failure is one that says to try
// again, and the server goes on by itself. Then the power is cut, and nothing that was acknowledged
// is lost: not before, not during and not after the failure. The last is the hard part, since the
// kernel forgets after a failed sync what it has not written.
func TestDiskFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault disk.Faults
	}{
		{"sync fails", disk.Faults{Sync: true}},
		{"sync fails now and then", disk.Faults{Sync: true, Some: disk.Chance(chance("sync"), 0.2)}},
		{"write fails", disk.Faults{Write: true}},
		{"write fails now and then", disk.Faults{Write: true, Some: disk.Chance(chance("write"), 0.05)}},
		{"full", disk.Faults{Full: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.fault.Some != nil {
				skipUnlessFull(t)
			}
			onEachDisk(t, onPostgresDisk{fullOnly: true},
				func(t *testing.T, m *machine) { testFault(t, m, test.fault) })
		})
	}
}

func testFault(t *testing.T, m *machine, fault disk.Faults) {
	crew, moments, rounds, restarts := newCrew(m.site), chance(t.Name()), times(5, 1), 0
	crew.during(t, func() {
		for range rounds {
			crew.journal.await(t, 20+moments.IntN(200))
			m.disk.Set(fault)
			m.traffic.awaitTrouble(t)
			time.Sleep(300 * time.Millisecond)
			m.disk.Set(disk.Faults{})
			crew.journal.await(t, 50, func() {
				// It gives up when it cannot recover, after it has waited 5 s for processes that
				// hang: that is for the operator.
				if m.cluster != nil && !m.cluster.running() {
					restarts++
					check(t, m.cluster.start(t.Context()))
				}
			})
			check(t, m.disk.Cut(func() bool { return false }, m.halt))
			crew.journal.complain(t, "after a power cut", m.held(t, crew.journal))
			check(t, m.start())
		}
	})
	counts := m.traffic.take()
	m.traffic.clean(t, counts)
	crew.agree(t)
	v := m.audit(t, crew.journal)
	finish(t,
		"%d times; %d responses were 503, PostgreSQL was restarted %d times; "+
			"%d changes acknowledged: %d lost, %d doubled",
		rounds, counts[503], restarts, v.acked, v.lost, v.doubled)
}
