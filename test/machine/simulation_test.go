package machine

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
	"firemode/client"
	"firemode/internal/assets"
	"firemode/internal/identity"
	"firemode/internal/record/crdt"
	"firemode/internal/record/ledger"
	"firemode/internal/record/merge/mergetest"
	"firemode/internal/visits"
	"firemode/test/race"
)

// simulation is the phones at work in one session, in the virtual time of a bubble.
type simulation struct {
	*site
	ref      ledger.SessionRef
	workers  []*worker
	underway sync.WaitGroup
	tally    tally
}

// worker is a technician with a phone. The clock of the phone is off by skew.
type worker struct {
	*client.Device
	sim     *simulation
	api     *client.Client
	network *network
	chance  *rand.Rand
	name    string
	user    string
	skew    time.Duration
	ids     int
	written int          // readings
	stored  client.State // what is on the phone's disk
	forks   int
}

// Twenty phones work for three days over a network that loses, doubles, reorders and delays
// requests, with clocks that jump and phones that restart. Once all have synced, all hold the same
// bytes, and every reading is in the log exactly once. The test prints its seed; FIREMODE_SEED
// replays it. It runs on SQLite only: time in the bubble stands still during real I/O such as a
// connection to PostgreSQL.
func TestSimulation(t *testing.T) {
	t.Parallel()
	seed, err := strconv.ParseUint(os.Getenv("FIREMODE_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	for i := range uint64(race.Histories(1, 1)) {
		t.Logf("FIREMODE_SEED=%d go test -run '^TestSimulation$' ./test/machine", seed+i)
		synctest.Test(t, func(t *testing.T) {
			head := simulate(t, seed+i, 20, 3*24*time.Hour)
			t.Logf("%s: the log ends with %s", time.Now().Format(time.RFC3339), head)
		})
	}
}

// The last hash of the log depends on everything that happened before it.
func TestSimulation_SameSeed_SameLog(t *testing.T) {
	t.Parallel()
	var heads []string
	for range 2 {
		synctest.Test(t, func(t *testing.T) { heads = append(heads, simulate(t, 7, 4, 48*time.Hour)) })
	}
	if heads[0] != heads[1] {
		t.Errorf("the first log ends with %s, the second with %s", heads[0], heads[1])
	}
}

// simulate runs to the end and returns the hash of the last entry of the log.
func simulate(t *testing.T, seed uint64, phones int, length time.Duration) string {
	sim := &simulation{
		site: newSite(t.Context(), t, newSQLite(t), time.Now),
		ref:  ledger.SessionRef{Org: "o", Session: "visit"},
	}
	t.Cleanup(sim.underway.Wait)
	must(t, sim.populate(t.Context()))
	for i := range phones {
		w, err := sim.hire(t.Context(), i, seed)
		must(t, err)
		sim.workers = append(sim.workers, w)
	}
	end := time.Now().Add(length)
	var all sync.WaitGroup
	for _, w := range sim.workers {
		all.Go(func() {
			for time.Now().Before(end) {
				if err := w.round(t.Context()); err != nil {
					t.Errorf("%s: %v", w.name, err)
					return
				}
			}
		})
	}
	all.Wait()
	sim.underway.Wait()
	if t.Failed() {
		return ""
	}
	sim.calm(t)
	return sim.settled(t)
}

const password = "correct horse"

var technicians = []string{"ann", "bob", "cyd", "dot"}

func (sim *simulation) populate(ctx context.Context) error {
	if err := sim.services.Auth.AddOrganisation(ctx, sim.ref.Org, "Organisation"); err != nil {
		return err
	}
	for _, name := range technicians {
		_, err := sim.services.Auth.CreateUser(identity.AsOperator(ctx, sim.ref.Org), identity.NewUser{
			ID:       firemode.UserID(name),
			Username: name,
			FullName: name,
			Role:     firemode.RoleTechnician,
			Password: password,
		})
		if err != nil {
			return err
		}
	}
	boss := firemode.WithPrincipal(
		ctx, firemode.Principal{Org: sim.ref.Org, User: "ann", Name: "ann", Role: firemode.RoleManager},
	)
	if _, err := sim.services.Buildings.Create(boss, assets.NewBuilding{ID: "b", Name: "B", Address: "S"}); err != nil {
		return err
	}
	_, err := sim.services.Visits.Create(
		boss, visits.Draft{ID: sim.ref.Session, Building: "b", Name: "Visit", Frequency: firemode.Yearly},
	)
	return err
}

// hire adds a worker and logs them in while the network is still reliable.
func (sim *simulation) hire(ctx context.Context, i int, seed uint64) (*worker, error) {
	chance := rand.New(rand.NewPCG(seed, uint64(i)))
	w := &worker{sim: sim, chance: chance, name: fmt.Sprintf("p%02d", i), user: technicians[i%len(technicians)]}
	w.network = &network{
		handler:  sim.handler,
		chance:   chance,
		healthy:  true,
		underway: &sim.underway,
		tally:    &sim.tally,
	}
	var err error
	// One attempt a call: the client's own waits are of chance that no seed decides.
	if w.api, err = client.New(
		client.Config{BaseURL: "http://firemode.test", HTTP: &http.Client{Transport: w.network}, Attempts: 1},
	); err != nil {
		return nil, err
	}
	if err := w.api.Login(ctx, w.user, password); err != nil {
		return nil, err
	}
	w.network.healthy = false
	w.start(client.State{Session: sim.ref.Session, Client: w.name})
	return w, nil
}

// start starts the phone with the stored state.
func (w *worker) start(s client.State) {
	w.Device = client.RestoreDevice(w.api, s, client.DeviceConfig{
		Now: func() time.Time { return time.Now().Add(w.skew) }, NewID: w.newID, Page: 5 + w.chance.IntN(60),
	})
	w.save()
}

func (w *worker) newID() string {
	w.ids++
	return fmt.Sprint(w.name, "-", w.ids)
}

func (w *worker) save() {
	var err error
	if w.stored, err = w.Clone(); err != nil {
		panic(err) // made of JSON
	}
}

// round is some hours of work.
func (w *worker) round(ctx context.Context) error {
	time.Sleep(time.Duration(w.chance.Int64N(int64(30 * time.Hour))))
	switch w.chance.IntN(6) {
	case 0:
		steps := []time.Duration{
			0, 0, 3 * time.Minute, 40 * time.Minute, -2 * time.Hour, 24 * time.Hour, -2 * 365 * 24 * time.Hour,
		}
		w.skew = steps[w.chance.IntN(len(steps))]
	case 1:
		stored, err := w.stored.Clone()
		if err != nil {
			return err
		}
		w.start(stored)
	}
	for range 1 + w.chance.IntN(2) {
		w.Record(w.work()...)
		w.save()
	}
	for range 1 + w.chance.IntN(3) {
		if err := w.try(ctx); err == nil {
			return nil
		}
	}
	return nil
}

// try syncs with a time limit and stores the result, unless the phone is switched off first.
func (w *worker) try(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := w.Sync(patience)
	w.forks += len(r.Forks)
	if client.StatusOf(err) == http.StatusUnauthorized { // a late retry of a lost token renewal ends the login
		if err = w.api.Login(patience, w.user, password); err == nil {
			r, err = w.Sync(patience)
			w.forks += len(r.Forks)
		}
	}
	if w.chance.IntN(3) > 0 {
		w.save()
	}
	return err
}

// work returns a batch: a unique reading, an increment of the number of readings, and a change at a
// path that others use too.
func (w *worker) work() []client.Change {
	w.written++
	own := jsontext.Value(fmt.Sprintf("%q", fmt.Sprint(w.name, "/", w.written)))
	changes := []client.Change{
		client.Append(client.Pointer("/work").Child(w.name), own),
		client.Increment(client.Pointer("/sums").Child(w.name), jsontext.Value("1")),
	}
	at := client.ItemPath(
		firemode.ItemID(fmt.Sprint("FE-", w.chance.IntN(8))),
		[]string{"note", "outcome", "measurements"}[w.chance.IntN(3)],
	)
	switch w.chance.IntN(5) {
	case 0:
		changes = append(changes, client.Remove(at))
	case 1:
		if open := conflictsOf(&phone{State: w.State}); len(open) > 0 {
			c := resolve(open[w.chance.IntN(len(open))], intent{value: `"pass"`})
			return append(changes, c)
		}
	default:
		changes = append(changes, client.Set(at, own))
	}
	return changes
}

// calm repairs the network and lets all sync twice: once to send, once to receive.
func (sim *simulation) calm(t *testing.T) {
	for range 2 {
		for _, w := range sim.workers {
			w.network.healthy = true
			must(t, w.try(t.Context()))
		}
	}
}

// settled compares the final state with what the phones recorded.
func (sim *simulation) settled(t *testing.T) string {
	f, err := mergetest.Read(t.Context(), sim.store, sim.ref)
	must(t, err)
	truth := f.Truth()
	must(t, f.Compare(truth))
	whole, err := sim.workers[0].api.Results(t.Context(), sim.ref.Session, client.ResultsQuery{})
	must(t, err)
	must(t, mergetest.Same("document", string(whole.Document), truth.Document()))
	must(t, mergetest.Same("conflicts", describe(whole.Conflicts), mergetest.Describe(f.Head.Key, truth.Conflicts())))
	written := 0
	for _, w := range sim.workers {
		must(t, sameReplica(&w.State, whole))
		if w.forks > 0 || len(w.Pending()) > 0 || w.Client != w.name {
			t.Errorf("%s forked %d times, has %d pending and is %s", w.name, w.forks, len(w.Pending()), w.Client)
		}
		written += w.written
		sum, _ := w.Document.Get(client.Pointer("/sums").Child(w.name))
		must(t, mergetest.Same("sum of "+w.name, string(sum), strconv.Itoa(w.written)))
	}
	must(t, mergetest.Same("readings in the log", readingsIn(f), sim.written()))
	differences, err := sim.verify(t.Context(), sim.ref)
	must(t, err)
	must(t, mergetest.Same("verify", differences, nil))
	n := &sim.tally
	t.Logf(
		"%d readings; %d requests, %d lost, %d unanswered, %d doubled, %d answers cut", written, n.requests, n.lost,
		n.unanswered, n.doubled, n.cut,
	)
	if slices.Contains([]int{n.lost, n.unanswered, n.doubled, n.cut}, 0) {
		t.Error("one kind of network failure never happened")
	}
	return hex.EncodeToString(f.Head.Hash)
}

// readingsIn lists the appended readings in the log, duplicates included.
func readingsIn(f *mergetest.Facts) (all []string) {
	for i := range f.Log {
		for _, c := range f.Changes[i] {
			if c.Kind == crdt.Append {
				all = append(all, string(c.Value))
			}
		}
	}
	slices.Sort(all)
	return all
}

// written lists every reading that was recorded.
func (sim *simulation) written() (all []string) {
	for _, w := range sim.workers {
		for n := range w.written {
			all = append(all, fmt.Sprintf("%q", fmt.Sprint(w.name, "/", n+1)))
		}
	}
	slices.Sort(all)
	return all
}
