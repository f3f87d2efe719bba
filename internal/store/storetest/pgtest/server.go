package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// superuser is the cluster's only role.
const superuser = "firemode"

// patience is how long a cluster may take to answer.
const patience = 60 * time.Second

// server is a running cluster. It listens on a socket in its own folder and nowhere else, so that its port disturbs nobody.
type server struct {
	dir   string
	guard *exec.Cmd
	alive io.Closer // the guard stops the cluster when this is closed, as it is when this process ends
	admin *pgxpool.Pool
	count atomic.Int64 // of databases

	mu   sync.Mutex
	idle []string // names of wiped databases
}

// guardScript runs the cluster until its standard input ends, then leaves nothing behind.
const guardScript = `
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=300 >"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$2"
`

func start(ctx context.Context) (*server, error) {
	bin, err := binaries(installed)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "firemode-pg-")
	if err != nil {
		return nil, err
	}
	as, err := account(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", superuser, "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-AU", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(dir))
	}
	s := &server{dir: dir}
	s.guard = exec.Command("/bin/sh", "-c", guardScript, "guard", bin, dir) //nolint:noctx // it ends when its input does
	s.guard.SysProcAttr, s.guard.Dir = as, dir
	if s.alive, err = s.guard.StdinPipe(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.guard.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.wait(ctx); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log")) // more is better, none will do
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, log), s.stop())
	}
	return s, nil
}

// installed is where Debian puts PostgreSQL.
const installed = "/usr/lib/postgresql/*/bin/initdb"

// binaries returns the folder of the newest initdb that matches pattern.
func binaries(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("there is no PostgreSQL to test with in %s: install the Debian package postgresql", pattern)
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

func version(initdb string) int {
	v, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb)))) // 0 for a folder that is no version
	return v
}

// account says as whom the cluster runs: PostgreSQL refuses to be root, so root makes it user postgres and gives it dir. Its
// processes are a group of their own, which a Ctrl-C in the terminal does not reach before the guard has cleaned up.
func account(dir string) (*syscall.SysProcAttr, error) {
	as := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return as, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w: install the Debian package postgresql", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return as, os.Chown(dir, int(uid), int(gid))
}

// wait returns when the cluster answers.
func (s *server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		c, err := pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// stop ends the cluster and returns when it and its folder are gone.
func (s *server) stop() error {
	return errors.Join(s.alive.Close(), s.guard.Wait())
}
