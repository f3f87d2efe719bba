package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser is the cluster's only role.
const superuser = "firemode"

// timeout is how long a cluster may take to accept or close connections.
const timeout = 60 * time.Second

// Cluster is a running PostgreSQL server. It listens only on a socket in its own folder, so that it
// conflicts with no other server.
type Cluster struct {
	dir   string
	guard *exec.Cmd
	input io.Closer // the guard stops the cluster when this is closed; the kernel closes it when this process ends
}

// guardScript runs the cluster until its standard input ends, then removes the folder.
const guardScript = `
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c full_page_writes=off \
	-c max_connections=600 >"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$2"
`

// Start starts a cluster that has the template database of New. The caller stops it with Stop.
func Start(ctx context.Context) (*Cluster, error) {
	c, err := startEmpty(ctx)
	if err != nil {
		return nil, err
	}
	if err := makeTemplate(ctx, c.dir); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// Env returns the environment variable, as NAME=VALUE, that makes test processes use c instead of a
// cluster of their own.
func (c *Cluster) Env() string { return sharedEnv + "=" + c.dir }

// Stop stops the cluster and returns when its processes have ended and its folder is removed.
func (c *Cluster) Stop() error {
	return errors.Join(c.input.Close(), c.guard.Wait())
}

func startEmpty(ctx context.Context) (*Cluster, error) {
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
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"),
		"-U", superuser, "--auth=trust", "--no-sync", "--no-instructions",
		"--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-AU")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(dir))
	}
	c := &Cluster{dir: dir}
	//nolint:noctx // it ends when its input does
	c.guard = exec.Command("/bin/sh", "-c", guardScript, "guard", bin, dir)
	c.guard.SysProcAttr, c.guard.Dir = as, dir
	if c.input, err = c.guard.StdinPipe(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := c.guard.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := awaitConnection(ctx, dir); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log")) // an unreadable log adds nothing to err
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, log), c.Stop())
	}
	return c, nil
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
		return "", fmt.Errorf("no PostgreSQL found in %s: install the Debian package postgresql", pattern)
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

func version(initdb string) int {
	folder := filepath.Base(filepath.Dir(filepath.Dir(initdb)))
	v, _ := strconv.Atoi(folder) // 0 for a folder that is not named after a version
	return v
}

// account returns the user that the cluster runs as. PostgreSQL refuses to run as root, so for root
// that is the user postgres, who becomes the owner of dir. The processes get a group of their own,
// so that Ctrl-C in the terminal does not kill the guard before it has cleaned up.
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

// awaitConnection returns when the cluster in dir accepts connections.
func awaitConnection(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		c, err := pgx.Connect(ctx, urlOf(dir, "postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return err
		}
	}
}

// urlOf returns the URL of a database of the cluster in dir.
func urlOf(dir, database string) string {
	query := "host=" + url.QueryEscape(dir)
	return (&url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: query}).String()
}
