package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jackc/pgx/v5"

	"firemode"
	"firemode/client"
	"firemode/internal/store/storetest/pgtest"
)

// doomed is a server that the test kills.
type doomed struct {
	url string
	cmd *exec.Cmd
}

func startDoomed(t *testing.T, storage []string) doomed {
	t.Helper()
	c := exec.Command(
		program,
		append([]string{"serve", "--addr", "127.0.0.1:0", "--log-level", "error"}, storage...)...)
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	d := doomed{cmd: c}
	t.Cleanup(d.kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the server said %q, %v", line, err)
	}
	d.url = url
	return d
}

// kill gives the server no chance to do anything. A second time it does nothing.
func (d doomed) kill() {
	d.cmd.Process.Kill() //nolint:errcheck // it may be dead
	d.cmd.Wait()         //nolint:errcheck // it was killed
}

// party is technicians at work in one session, each with a phone.
type party struct {
	names   []string
	devices []*client.Device
	worked  []int // rounds, by phone
}

// round records what tells afterwards whether something is missing or there twice: a reading and an
// entry of the phone's own, and one more in a sum of all.
func (p *party) round(ctx context.Context, i int) error {
	d := p.devices[i]
	p.worked[i]++
	n := jsontext.Value(fmt.Sprint(p.worked[i]))
	own := client.Pointer("/work").Child(p.names[i])
	d.Record(client.Set(own.Child("round-"+string(n)), n), client.Append(own.Child("list"), n))
	d.Record(client.Increment("/sum", jsontext.Value("1")))
	_, err := d.Sync(ctx)
	return err
}

// rounds has all phones work at once.
func (p *party) rounds(t *testing.T, n int) {
	t.Helper()
	var all sync.WaitGroup
	for i := range p.devices {
		all.Go(func() {
			for range n {
				if err := p.round(t.Context(), i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// workDuring has all phones work from before fn until after it.
func (p *party) workDuring(t *testing.T, fn func()) {
	t.Helper()
	var enough atomic.Bool
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		p.rounds(t, 1)
		close(begun)
		for !enough.Load() {
			p.rounds(t, 1)
		}
	}()
	defer func() { // also when fn ends the test
		enough.Store(true)
		<-ended
	}()
	select {
	case <-begun:
	case <-ended: // they have failed
	}
	fn()
}

// moveTo has the phones go on with what they remember, at another server.
func (p *party) moveTo(t *testing.T, url string) {
	t.Helper()
	for i, d := range p.devices {
		stored := must(d.State.Clone())(t)
		p.devices[i] = client.RestoreDevice(login(t, url, p.names[i]+"@acme"), stored, client.DeviceConfig{})
	}
}

// document is what everybody holds after two syncs of all: one to give, one to take.
func (p *party) document(t *testing.T, reader *client.Client) string {
	t.Helper()
	for range 2 {
		for _, d := range p.devices {
			must(d.Sync(t.Context()))(t)
		}
	}
	whole := must(reader.Results(t.Context(), p.devices[0].Session, client.ResultsQuery{}))(t)
	for i, d := range p.devices {
		held := must(d.Document.MarshalJSON())(t)
		if string(held) != string(whole.Document) || len(d.Pending()) != 0 {
			t.Errorf("%s holds %s with %d pending, the server %s", p.names[i], held, len(d.Pending()), whole.Document)
		}
	}
	if len(whole.Conflicts) != 0 {
		t.Errorf("%d conflicts", len(whole.Conflicts))
	}
	return string(whole.Document)
}

// complete wants every round of every phone in the document, once.
func (p *party) complete(t *testing.T, document string) {
	t.Helper()
	var d struct {
		Sum  int                                  `json:"sum"`
		Work map[string]map[string]jsontext.Value `json:"work"`
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		t.Fatal(err)
	}
	total := 0
	for i, name := range p.names {
		total += p.worked[i]
		own := d.Work[name]
		var entries map[string]int
		if err := json.Unmarshal(own["list"], &entries); err != nil {
			t.Fatal(err)
		}
		if len(own) != p.worked[i]+1 || len(entries) != p.worked[i] {
			t.Errorf("of %s there are %d readings and %d entries, want %d", name, len(own)-1, len(entries), p.worked[i])
		}
	}
	if d.Sum != total {
		t.Errorf("the sum is %d, want %d", d.Sum, total)
	}
}

// rehearsal is an installation, the backup of it, and what that is restored into.
type rehearsal struct {
	home, away      []string // flags that say where the data is
	backup, restore func(t *testing.T)
}

// A backup is made while phones are at work; they work on; the server dies, and the backup is
// restored somewhere else. When all have synced, everything that was ever acknowledged is there,
// once, and everybody holds the same.
func TestRestore_OlderBackup_DevicesSendWhatIsMissing(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		onSQLite(t).run(t)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		onPostgres(t).run(t)
	})
}

func onSQLite(t *testing.T) rehearsal {
	home, away := []string{"--data", t.TempDir()}, []string{"--data", filepath.Join(t.TempDir(), "restored")}
	file := filepath.Join(t.TempDir(), "backup.tar")
	return rehearsal{
		home: home, away: away,
		backup:  func(t *testing.T) { command(t, "", append([]string{"backup", file}, home...)...) },
		restore: func(t *testing.T) { command(t, "", append([]string{"restore", file}, away...)...) },
	}
}

// onPostgres backs up and restores with the blocks of the runbook, as they stand there.
func onPostgres(t *testing.T) rehearsal {
	t.Helper()
	needTools(t, "bash")
	steps := stepsOf(string(must(os.ReadFile("../../docs/runbooks/backup.md"))(t)))
	if len(steps) != 2 {
		t.Fatalf(
			"the runbook has %d blocks of commands, each followed by its output; want backup and restore",
			len(steps),
		)
	}
	first, second := pgtest.Empty(t), pgtest.Empty(t)
	keys, backup := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "backup")
	path := fmt.Sprintf("PATH=%s:%s:%s", filepath.Dir(program), toolsOf(t, first), os.Getenv("PATH"))
	block := func(s step, url, keys string) func(t *testing.T) {
		return func(t *testing.T) {
			env := []string{path, "BACKUP=" + backup, "FIREMODE_DB_URL=" + url, "FIREMODE_KEYS=" + keys}
			compareStep(t, s, runSteps(t, env, []step{s})[0])
		}
	}
	return rehearsal{
		home:   []string{"--data", t.TempDir(), "--db-url", first, "--keys", keys},
		backup: block(steps[0], first, keys),
		away: []string{
			"--data", t.TempDir(), "--db-url", second, "--keys", backup + ".keys",
		},
		restore: block(steps[1], second, backup+".keys"),
	}
}

// toolsOf is where Debian keeps pg_dump and its like, of the version that serves at url.
func toolsOf(t *testing.T, url string) string {
	t.Helper()
	c := must(pgx.Connect(t.Context(), url))(t)
	defer c.Close(t.Context())
	var version int
	must(0, c.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int / 10000").Scan(&version))(t)
	return fmt.Sprintf("/usr/lib/postgresql/%d/bin", version)
}

func (r rehearsal) run(t *testing.T) {
	command(t, "", append([]string{"org", "add", "acme", "Acme"}, r.home...)...)
	names := []string{"anna", "ben", "erin"}
	for _, name := range append(names, "admin") {
		role := map[bool]string{true: "admin", false: "engineer"}[name == "admin"]
		command(
			t,
			password+"\n",
			append([]string{"user", "add", "--org", "acme", "--role", role, name + "@acme"}, r.home...)...)
	}
	first := startDoomed(t, r.home)
	admin := login(t, first.url, "admin@acme")
	b := must(admin.CreateBuilding(t.Context(), client.NewBuilding{Name: "Shed", Address: "2 Quay Street, Sydney"}))(t)
	session := must(
		admin.CreateSession(
			t.Context(), client.NewSession{Building: b.ID, Name: "Monthly", Frequency: firemode.Monthly},
		),
	)(t)
	p := &party{names: names, worked: make([]int, len(names))}
	for _, name := range names {
		p.devices = append(
			p.devices, client.NewDevice(login(t, first.url, name+"@acme"), session.ID, client.DeviceConfig{}),
		)
	}

	p.rounds(t, 5)
	p.workDuring(t, func() { r.backup(t) })
	p.rounds(t, 5)
	before := p.document(t, admin)
	p.complete(t, before)
	old := p.devices[0].Cursor
	then := must(admin.SyncStatus(t.Context(), session.ID))(t)
	first.kill()

	r.restore(t)
	second := startDoomed(t, r.away)
	admin = login(t, second.url, "admin@acme")
	wasRestored(t, admin, session.ID, old, then)
	p.moveTo(t, second.url)
	if after := p.document(t, admin); after != before {
		t.Errorf("after the restore it is\n%s\nand it was\n%s", after, before)
	}
	p.rounds(t, 3)
	p.complete(t, p.document(t, admin))
	second.kill()
	if said := command(t, "", append([]string{"verify"}, r.away...)...); !strings.Contains(said, ": 0 differences") {
		t.Error(said)
	}
}

// wasRestored wants the server to have lost something of a session that was as then says, and to
// say that it did.
func wasRestored(t *testing.T, admin *client.Client, session firemode.SessionID, old string, then client.SyncStatus) {
	t.Helper()
	if _, err := admin.Results(t.Context(), session, client.ResultsQuery{Since: old}); client.StatusOf(
		err,
	) != http.StatusGone {
		t.Errorf("a cursor from before the restore: %v, want 410", err)
	}
	now := must(admin.SyncStatus(t.Context(), session))(t)
	if now.Sequence == 0 || now.Sequence >= then.Sequence {
		t.Errorf("the log had %d entries, and the backup has %d: nothing was lost", then.Sequence, now.Sequence)
	}
	whole := must(admin.Results(t.Context(), session, client.ResultsQuery{}))(t)
	if now.Epoch <= then.Epoch || whole.Epoch != now.Epoch ||
		!strings.Contains(now.Checkpoint, fmt.Sprintf("\nepoch %d\n", now.Epoch)) {
		t.Errorf(
			"the epoch was %d, is %d in the status, %d in the document; the checkpoint is\n%s", then.Epoch, now.Epoch,
			whole.Epoch, now.Checkpoint,
		)
	}
}
