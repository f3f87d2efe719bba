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

// simulation is phones at work in one session, in the time of a bubble.
type simulation struct {
	*site
	ref      ledger.SessionRef
	workers  []*worker
	underway sync.WaitGroup
	tally    tally
}

// worker is somebody with a phone. The phone's clock is off by skew.
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

// TestSimulation has twenty phones work for three days over a network that loses, doubles, reorders and delays, with clocks that step
// and phones that restart. When all have synced, everybody holds the same bytes, and every reading is in the log, once. The seed is
// printed; FIREMODE_SEED replays it. It is SQLite that is simulated: a connection to PostgreSQL is a real one, and time would stand still.
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

// TestSimulationReplays holds that a seed is enough to see the same again: the last hash of the log follows from everything before.
func TestSimulationReplays(t *testing.T) {
	t.Parallel()
	var heads []string
	for range 2 {
		synctest.Test(t, func(t *testing.T) { heads = append(heads, simulate(t, 7, 4, 48*time.Hour)) })
	}
	if heads[0] != heads[1] {
		t.Errorf("the log ends with %s, and then with %s", heads[0], heads[1])
	}
}

// simulate runs to the end and returns the hash of the last entry of the log.
func simulate(t *testing.T, seed uint64, phones int, length time.Duration) string {
	sim := &simulation{site: newSite(t.Context(), t, newSQLite(t), time.Now), ref: ledger.SessionRef{Org: "o", Session: "visit"}}
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
			ID: firemode.UserID(name), Username: name, FullName: name, Role: firemode.RoleTechnician, Password: password,
		})
		if err != nil {
			return err
		}
	}
	boss := firemode.WithPrincipal(ctx, firemode.Principal{Org: sim.ref.Org, User: "ann", Name: "ann", Role: firemode.RoleManager})
	if _, err := sim.services.Buildings.Create(boss, assets.NewBuilding{ID: "b", Name: "B", Address: "S"}); err != nil {
		return err
	}
	_, err := sim.services.Visits.Create(boss, visits.Draft{ID: sim.ref.Session, Building: "b", Name: "Visit", Frequency: firemode.Yearly})
	return err
}

// hire gives somebody a phone, while the network is still good.
func (sim *simulation) hire(ctx context.Context, i int, seed uint64) (*worker, error) {
	chance := rand.New(rand.NewPCG(seed, uint64(i)))
	w := &worker{sim: sim, chance: chance, name: fmt.Sprintf("p%02d", i), user: technicians[i%len(technicians)]}
	w.network = &network{handler: sim.handler, chance: chance, healthy: true, underway: &sim.underway, tally: &sim.tally}
	var err error
	// One attempt a call: the client's own waits are of chance that no seed decides.
	if w.api, err = client.New(client.Config{BaseURL: "http://firemode.test", HTTP: &http.Client{Transport: w.network}, Attempts: 1}); err != nil {
		return nil, err
	}
	if err := w.api.Login(ctx, w.user, password); err != nil {
		return nil, err
	}
	w.network.healthy = false
	w.start(client.State{Session: sim.ref.Session, Client: w.name})
	return w, nil
}

// start turns the phone on with what is on its disk.
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

// round is some hours of somebody's work.
func (w *worker) round(ctx context.Context) error {
	time.Sleep(time.Duration(w.chance.Int64N(int64(30 * time.Hour))))
	switch w.chance.IntN(6) {
	case 0:
		steps := []time.Duration{0, 0, 3 * time.Minute, 40 * time.Minute, -2 * time.Hour, 24 * time.Hour, -2 * 365 * 24 * time.Hour}
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

// try syncs for as long as a phone would, and keeps what came of it, unless it is switched off before.
func (w *worker) try(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := w.Sync(patience)
	w.forks += len(r.Forks)
	if client.StatusOf(err) == http.StatusUnauthorized { // a refresh whose answer was lost ends the login when it is tried again too late
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

// work is a batch: one reading that tells whether it is there once, one more in a sum of them, and what others work on too.
func (w *worker) work() []client.Change {
	w.written++
	own := jsontext.Value(fmt.Sprintf("%q", fmt.Sprint(w.name, "/", w.written)))
	changes := []client.Change{client.Append(client.Pointer("/work").Child(w.name), own), client.Increment(client.Pointer("/sums").Child(w.name), jsontext.Value("1"))}
	at := client.ItemPath(firemode.ItemID(fmt.Sprint("FE-", w.chance.IntN(8))), []string{"note", "outcome", "measurements"}[w.chance.IntN(3)])
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

// calm lets everybody sync, twice, once the network is good again: to give, and to take.
func (sim *simulation) calm(t *testing.T) {
	for range 2 {
		for _, w := range sim.workers {
			w.network.healthy = true
			must(t, w.try(t.Context()))
		}
	}
}

// settled holds the end to what was promised.
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
	t.Logf("%d readings; %d requests, %d lost, %d unanswered, %d doubled, %d answers cut", written, n.requests, n.lost, n.unanswered, n.doubled, n.cut)
	if slices.Contains([]int{n.lost, n.unanswered, n.doubled, n.cut}, 0) {
		t.Error("nothing of some kind went wrong")
	}
	return hex.EncodeToString(f.Head.Hash)
}

// readingsIn lists what was appended, from the log, as often as it is there.
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
