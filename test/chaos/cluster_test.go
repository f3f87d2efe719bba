package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/jackc/pgx/v5"
)

// cluster is a PostgreSQL server of this test's own, which flushes to its disk.
type cluster struct {
	bin, dir, data string
	account        *syscall.Credential // whom it runs as; nil for us
	settings       []string            // flags
	cmd            *exec.Cmd
	ended          chan error
	log            tail
}

// newCluster makes a cluster whose data is in data, which must be there, empty and of owner.
func newCluster(t *testing.T, data string) *cluster {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		t.Fatal("no PostgreSQL found: install the Debian package postgresql")
	}
	c := &cluster{bin: found[len(found)-1], dir: folder(t), data: data}
	if os.Geteuid() == 0 {
		o := postgresAccount(t)
		c.account = &syscall.Credential{Uid: o.Uid, Gid: o.Gid}
		check(t, os.Chown(c.dir, int(o.Uid), int(o.Gid)))
	}
	out, err := c.tool("initdb", "-D", data, "-U", "firemode", "--auth=trust", "--encoding=UTF8", "--locale=C",
		"--wal-segsize=1", "--no-instructions").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("end of the PostgreSQL log:\n%s", c.log.String())
		}
	})
	return c
}

// onFolder makes a cluster in a folder of the machine's own disk.
func onFolder(t *testing.T) *cluster {
	t.Helper()
	dir := folder(t)
	if os.Geteuid() == 0 {
		o := postgresAccount(t)
		check(t, os.Chown(dir, int(o.Uid), int(o.Gid)))
	}
	return newCluster(t, dir)
}

// postgresAccount is whom PostgreSQL runs as, since it refuses to be root.
func postgresAccount(t *testing.T) fuse.Owner {
	t.Helper()
	u, err := user.Lookup("postgres")
	check(t, err)
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	check(t, err)
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	check(t, err)
	return fuse.Owner{Uid: uint32(uid), Gid: uint32(gid)}
}

func (c *cluster) tool(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.account, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// start returns when the cluster answers.
func (c *cluster) start(ctx context.Context) error {
	args := []string{
		"-D", c.data, "-k", c.dir, "-c", "listen_addresses=", "-c", "max_connections=60", "-c", "shared_buffers=32MB",
		"-c", "log_min_error_statement=panic", "-c", "checkpoint_timeout=30s", "-c", "max_wal_size=32MB", "-c",
		"min_wal_size=5MB",
	}
	c.cmd = c.tool("postgres", append(args, c.settings...)...)
	c.cmd.Stdout, c.cmd.Stderr = &c.log, &c.log
	if err := spawn(c.cmd); err != nil {
		return err
	}
	ended, cmd := make(chan error, 1), c.cmd
	c.ended = ended
	go func() {
		ended <- cmd.Wait()
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.url())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ended:
			return fmt.Errorf("PostgreSQL ended: %s", c.log.String())
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *cluster) url() string {
	return (&url.URL{
		Scheme: "postgres", User: url.User("firemode"), Path: "/postgres",
		RawQuery: "host=" + url.QueryEscape(c.dir),
	}).String()
}

// signal asks the cluster to stop in one of PostgreSQL's modes, and returns when it has: SIGINT is
// fast, SIGQUIT immediate.
func (c *cluster) signal(s syscall.Signal) error {
	if err := c.cmd.Process.Signal(s); err != nil {
		return err
	}
	<-c.ended
	return nil
}

// running reports whether the cluster has not ended.
func (c *cluster) running() bool {
	select {
	case <-c.ended:
		return false
	default:
		return c.ended != nil
	}
}

// kill ends the server and every process of it, and returns when they are gone.
func (c *cluster) kill() error {
	if c.ended == nil {
		return nil
	}
	c.cmd.Process.Signal(syscall.SIGSTOP) // so that it has no more children than are found; it may have ended by itself
	children := childrenOf(c.cmd.Process.Pid)
	c.cmd.Process.Kill()
	for _, pid := range children {
		// Now: one may wait indefinitely for another that is gone, and it holds the output that the
		// end of the server is told by.
		syscall.Kill(pid, syscall.SIGKILL)
	}
	<-c.ended
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		if !anyLives(children) {
			return nil
		}
	}
	return errors.New("a process of PostgreSQL does not end")
}

// childrenOf returns the processes that pid has started and that have not ended.
func childrenOf(pid int) (list []int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // none if it has ended
	for field := range strings.FieldsSeq(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			list = append(list, child)
		}
	}
	return list
}

func anyLives(list []int) bool {
	for _, pid := range list {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && !strings.Contains(string(stat), ") Z ") {
			return true
		}
	}
	return false
}
