package chaos

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"firemode/client"
	"firemode/internal/store"
	"firemode/test/chaos/disk"
)

// machine is a site whose database is on a disk that can lose its power.
type machine struct {
	*site
	disk    *disk.Disk
	cluster *cluster // nil with SQLite
}

// onPostgresDisk says how a test is run on PostgreSQL.
type onPostgresDisk struct {
	settings []string // flags of the cluster
	fullOnly bool     // not in a smoke
}

// onEachDisk runs a test on each engine, the database on a disk of its own.
func onEachDisk(t *testing.T, how onPostgresDisk, test func(*testing.T, *machine)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteMachine(t)) })
	t.Run("postgres", func(t *testing.T) {
		if how.fullOnly {
			skipUnlessFull(t)
		}
		test(t, postgresMachine(t, how.settings))
	})
}

func sqliteMachine(t *testing.T) *machine {
	t.Helper()
	d, dir := newDisk(t, fuse.Owner{Uid: uint32(syscall.Getuid()), Gid: uint32(syscall.Getgid())})
	m := &machine{disk: d}
	m.site = newSite(t, newNode(t, "--data", dir), func(t *testing.T) store.Database {
		copied := t.TempDir() // see package disk for why not where it is mounted
		check(t, d.Export(copied))
		return openSQLite(t, copied)
	})
	return m
}

func postgresMachine(t *testing.T, settings []string) *machine {
	t.Helper()
	d, dir := newDisk(t, postgresAccount(t))
	c := newCluster(t, dir)
	d.Sync() // initdb is not what is tested
	c.settings = settings
	check(t, c.start(t.Context()))
	return &machine{site: onPostgres(t, c), disk: d, cluster: c}
}

func newDisk(t *testing.T, owner fuse.Owner) (d *disk.Disk, dir string) {
	t.Helper()
	if syscall.Geteuid() != 0 || syscall.Access("/dev/fuse", 6) != nil {
		t.Skip("a disk that can lose its power needs root and /dev/fuse")
	}
	dir = folder(t)
	d, err := disk.Mount(dir, owner)
	check(t, err)
	t.Cleanup(func() {
		if err := d.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return d, dir
}

// halt ends everything that uses the disk.
func (m *machine) halt() error {
	if err := m.kill(); err != nil || m.cluster == nil {
		return err
	}
	return m.cluster.kill()
}

// held starts PostgreSQL if there is to be one, and compares the journal with what the database
// holds. The server does not run.
func (m *machine) held(t *testing.T, j *journal) verdict {
	t.Helper()
	if m.cluster != nil && !m.cluster.running() {
		check(t, m.cluster.start(t.Context()))
	}
	found, err := m.readLog(t.Context(), m.open(t))
	check(t, err)
	return j.compare(found)
}

// The power is cut at moments drawn by chance while clients work. Of what was not synced nothing
// survives, or every other page, or nearly all: each time everything that was acknowledged is there
// when the power is back.
func TestPowerCut(t *testing.T) {
	onEachDisk(t, onPostgresDisk{}, func(t *testing.T, m *machine) {
		crew, moments, cuts := newCrew(m.site), chance("power"), times(20, 2)
		if m.cluster != nil {
			cuts = times(12, 1)
		}
		crew.during(t, func() {
			for i := range cuts {
				time.Sleep(200*time.Millisecond + time.Duration(moments.IntN(600))*time.Millisecond)
				check(t, m.disk.Cut(disk.Chance(moments, []float64{0, 0.5, 0.95}[i%3]), m.halt))
				crew.journal.complain(t, "after a power cut", m.held(t, crew.journal))
				check(t, m.start())
			}
		})
		m.traffic.clean(t, m.traffic.take())
		crew.agree(t)
		operations, paths := crew.registers.check(t)
		syncs := m.disk.Syncs()
		v := m.audit(t, crew.journal)
		finish(t,
			"%d power cuts; %d changes acknowledged, %d syncs: %d lost, %d doubled; "+
				"%d operations on %d registers are linearizable",
			cuts, v.acked, syncs, v.lost, v.doubled, operations, paths)
	})
}

// The same cut shows losses when something does not flush: a disk that says it has and has not, and
// PostgreSQL with fsync off. So the test above can fail.
func TestPowerCutWithoutFlushing(t *testing.T) {
	onEachDisk(t, onPostgresDisk{settings: []string{"-c", "fsync=off"}, fullOnly: true},
		func(t *testing.T, m *machine) {
			crew := newCrew(m.site)
			m.disk.Sync() // what was there before stays, so that the loss is one of changes and not of the database
			if m.cluster == nil {
				m.disk.Set(disk.Faults{Deceive: true})
			}
			ctx, leave := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- crew.work(ctx, nil) }()
			time.Sleep(500 * time.Millisecond)
			check(t, m.disk.Cut(func() bool { return false }, m.halt))
			leave()
			<-ended // with an error, since they never finish
			v := m.held(t, crew.journal)
			if v.acked == 0 || v.lost == 0 {
				t.Errorf("of %d acknowledged changes %d are lost: a missing flush goes unnoticed", v.acked, v.lost)
			}
			finish(t, "a cut of an unflushed disk: of %d acknowledged changes %d are lost, as expected", v.acked,
				v.lost)
		})
}

// What a command has said is done is there after a power cut, and so are the keys: a token that was
// given before is good after it.
func TestPowerCutAfterSetup(t *testing.T) {
	d, dir := newDisk(t, fuse.Owner{})
	n := newNode(t, "--data", dir)
	cut := func() { check(t, d.Cut(func() bool { return false }, n.kill)) }
	n.command(t, "", "org", "add", "acme", "Acme Fire Services")
	cut()
	n.command(t, password+"\n", "user", "add", "--org", "acme", "--role", "admin", "admin@acme")
	token := strings.TrimSpace(n.command(t, "", "token", "--user", "admin@acme"))
	cut()
	check(t, n.start())
	api, err := client.New(client.Config{BaseURL: n.url(), Tokens: client.Tokens{Access: token}})
	check(t, err)
	me, err := api.Me(t.Context())
	check(t, err)
	cut()
	check(t, n.start())
	after, err := api.Me(t.Context())
	check(t, err)
	if after.ID != me.ID || me.Username != "admin@acme" {
		t.Errorf("the token was %s's and is %s's", me.ID, after.ID)
	}
	finish(t, "three cuts between the commands of a setup: organisation, user and keys are there")
}
